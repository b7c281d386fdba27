// Names of files that come from outside: an archive's members, a hub's listing, an index of shards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem {

/// True when `name` may be joined to a folder without leading out of it: segments between '/', none of them empty,
/// "." or "..", no backslash, and no control character, which a terminal would obey when the name is shown.
bool is_safe_relative_path(std::string_view name);

/// `name` in the form that is_safe_relative_path() wants: without segments that are "." or, behind others, empty. Of
/// what is the folder itself, such as "." or "", nothing is left. No value for what could lead out of the folder.
std::optional<std::string> to_safe_relative_path(std::string_view name);

}  // namespace tandem
