// Characters that act on whatever shows them instead of being shown. Text from outside must not carry them into a
// terminal or a line that another program reads.
#pragma once

#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Control characters (https://www.unicode.org/versions/Unicode15.0.0/ch23.pdf: U+0000–1F, U+007F–9F), with which
/// terminals are steered, and the separators U+2028 and U+2029, which end a line as a line feed does.
bool is_control(char32_t code_point);

/// Whether a code point has an effect but no shape: is_control(), or a mark, embedding, override or isolate of the
/// writing direction (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters), which shows text in
/// another order than it has. The joiners that emoji and scripts need are none of these.
bool acts_unseen(char32_t code_point);

bool has_control(std::string_view text);

/// An error for a name with a control character in it: ids, labels and the like are printed into lines and tables that
/// such a name could forge. `what` says what the name is of: "document id". Errors: kCorruptData.
Status check_name(std::string_view what, std::string_view name);

}  // namespace tandem
