#include "tandem/document.h"

#include <gtest/gtest.h>

#include <utility>

namespace tandem {
namespace {

TEST(DocumentTest, FullTextJoinsAsBeirDoes) {
  const auto full = [](std::string title, std::string text) {
    return Document{.id = "", .title = std::move(title), .text = std::move(text), .metadata = ""}.full_text();
  };
  EXPECT_EQ(full("Fern", "is green"), "Fern is green");
  EXPECT_EQ(full("", " \u3000is green\u00A0\n"), "is green");
  EXPECT_EQ(full("Fern", ""), "Fern");
  EXPECT_EQ(full("", ""), "");
  EXPECT_EQ(full(" ", "\x1F"), "");
  const Document paper{.id = "", .title = "Fern", .text = "It is green.", .metadata = ""};
  EXPECT_EQ(paper.full_text("[SEP]"), "Fern[SEP]It is green.");
}

}  // namespace
}  // namespace tandem
