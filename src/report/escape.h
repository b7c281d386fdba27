// Text from outside, made harmless for HTML and XML.
#pragma once

#include <string>
#include <string_view>

namespace tandem::report {

/// `text` as it may stand between tags and in quoted attributes: the five characters of markup become references, and
/// what is not UTF-8, what XML 1.0 (section 2.2) does not allow, and what turns the writing direction, becomes U+FFFD.
std::string escape_markup(std::string_view text);

/// JSON as it may stand in a <script> element, which would end at the first "</script": every "<" becomes \u003c, which
/// is the same inside the strings of JSON, the only places that have one.
std::string escape_json_for_script(std::string_view json);

}  // namespace tandem::report
