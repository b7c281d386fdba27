// Places that the environment of this process names.
#pragma once

#include <filesystem>
#include <string>

namespace tandem {

/// Empty where it is not set.
std::string environment_variable(const char* name);

// In paths, "~" at the front and variables such as "$HOME" stand for what they stand for in Hugging Face's libraries.

/// Where caches go: $XDG_CACHE_HOME, else .cache in the home folder.
std::filesystem::path user_cache_home();

/// Hugging Face's own folder: $HF_HOME, else "huggingface" among the caches.
std::filesystem::path hugging_face_home();

/// The cache that Hugging Face's libraries share: $HF_HUB_CACHE, else "hub" in their folder.
std::filesystem::path hugging_face_cache();

/// Whether Hugging Face's libraries are told not to use the network: $HF_HUB_OFFLINE.
bool hugging_face_is_offline();

}  // namespace tandem
