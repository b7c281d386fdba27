// The names that models go by. Ids and revisions come from users, from hubs and from data; they get into paths and
// URLs, so what is none is refused before.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem {

inline constexpr std::string_view kMainRevision = "main";

/// True for what the hub accepts as a model's name, "org/name" or "name".
bool is_model_id(std::string_view id);

/// True for a branch, a tag or a commit: segments between '/', of letters, digits and "-_.+", that lead nowhere else
/// and begin with no '-', which a program would take for an option.
bool is_revision(std::string_view revision);

/// True for the name of a commit: 40 hexadecimal digits, in lower case.
bool is_commit(std::string_view text);

/// True for so many hexadecimal digits, in lower case.
bool is_hex(std::string_view text, std::size_t digits);

/// True for a model of transformers that goes by a name without an organisation, such as "bert-base-uncased", in any
/// case: the list ORIGINAL_TRANSFORMER_MODELS of sentence_transformers/util/misc.py, as of 6.2.
bool is_bare_model_name(std::string_view name);

/// How folders of the store are called: the id with "--" for "/", and "@REVISION" behind it for other revisions than
/// main. Both have to be names.
std::string key_of(std::string_view id, std::string_view revision);

}  // namespace tandem
