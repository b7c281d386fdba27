// The files that pages are made with, as they were when this was built: CMakeLists.txt turns them into assets.cc.
#pragma once

#include <string_view>

namespace tandem::report {

extern const std::string_view kPageCss;   ///< page.css
extern const std::string_view kChartCss;  ///< chart.css, the style sheet of an SVG.
extern const std::string_view kPageJs;    ///< page.js
extern const std::string_view kChartJs;   ///< Chart.js, as the system has it.

}  // namespace tandem::report
