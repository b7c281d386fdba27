#include "eval/text_pieces.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace tandem {
namespace {

using Views = std::vector<std::string_view>;
using Strings = std::vector<std::string>;

TEST(Sentences, EndAtAMarkBeforeABlank) {
  EXPECT_EQ(split_sentences("One. Two!  Three?\nFour"), (Views{"One.", "Two!", "Three?", "Four"}));
  EXPECT_EQ(split_sentences("Version 1.2.3 is out. Get it."), (Views{"Version 1.2.3 is out.", "Get it."}));
}

TEST(Sentences, KeepTheQuotationMarksThatClose) {
  EXPECT_EQ(split_sentences("He said \"no.\" She (too.) went."), (Views{"He said \"no.\"", "She (too.)", "went."}));
  EXPECT_EQ(split_sentences("Wait... what?! Yes."), (Views{"Wait...", "what?!", "Yes."}));
}

TEST(Sentences, NeedNoBlankAfterAFullWidthMark) {
  EXPECT_EQ(split_sentences("東京は首都です。人口は？「多い。」終わり"),
            (Views{"東京は首都です。", "人口は？", "「多い。」", "終わり"}));
}

TEST(Sentences, EndAtTheMarksOfEveryScript) {
  EXPECT_EQ(split_sentences("गंगा नदी है।यमुना भी॥"), (Views{"गंगा नदी है।", "यमुना भी॥"})) << "danda";
  EXPECT_EQ(split_sentences("ما هذا؟ هذا كتاب۔ نعم."), (Views{"ما هذا؟", "هذا كتاب۔", "نعم."})) << "Arabic, Urdu";
  EXPECT_EQ(split_sentences("ሰላም ነው። እሺ፧"), (Views{"ሰላም ነው።", "እሺ፧"})) << "Ethiopic";
  EXPECT_EQ(split_sentences("ខ្ញុំទៅ។ គាត់មក៕"), (Views{"ខ្ញុំទៅ។", "គាត់មក៕"})) << "Khmer";
  EXPECT_EQ(split_sentences("Սա գիրք է։ Այո։"), (Views{"Սա գիրք է։", "Այո։"})) << "Armenian";
  EXPECT_EQ(split_sentences("မြန်မာ။ စာ။"), (Views{"မြန်မာ။", "စာ။"})) << "Myanmar";
}

TEST(Sentences, EndAtAnEmptyLine) {
  EXPECT_EQ(split_sentences("A heading\n \nIts text\nin two lines"), (Views{"A heading", "Its text\nin two lines"}));
}

TEST(Sentences, ThereAreNoneInBlanks) {
  EXPECT_TRUE(split_sentences("").empty());
  EXPECT_TRUE(split_sentences(" \n\t\n ").empty());
}

RC_GTEST_PROP(Sentences, AreTheTextWithoutTheBlanksBetweenThem, ()) {
  const auto pieces = *rc::gen::container<Strings>(
      rc::gen::element<std::string>("a", "é", ".", "!", "。", " ", "\n", "\"", "」", "\xff", "\xe3\x80"));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  const char* position = text.data();
  for (const std::string_view sentence : split_sentences(text)) {
    RC_ASSERT(!sentence.empty());
    RC_ASSERT(sentence.data() >= position);
    for (; position != sentence.data(); ++position) RC_ASSERT(*position == ' ' || *position == '\n');
    position += sentence.size();
  }
  for (; position != text.data() + text.size(); ++position) RC_ASSERT(*position == ' ' || *position == '\n');
}

TEST(Words, AreLowerCaseWithoutPunctuation) {
  EXPECT_EQ(split_words("The Δ-Wing, isn't it?"), (Strings{"the", "δ", "wing", "isn", "t", "it"}));
  EXPECT_EQ(split_words("東京 is\xff here"), (Strings{"東", "京", "is", "here"}));
}

TEST(Words, ThoseWithALetterCount) {
  EXPECT_EQ(count_words("4.2.1 of 17 pages, v2"), 3U);
  EXPECT_EQ(count_words("٣٫٤ १२ 12"), 0U);
  EXPECT_EQ(count_words("東京 12"), 2U);
}

TEST(Folding, LeavesWhatPeopleSee) {
  EXPECT_EQ(fold_case_and_blanks("  C++\t Für\u3000ALLE "), "c++ für alle");
  EXPECT_EQ(fold_case_and_blanks(" \n"), "");
}

}  // namespace
}  // namespace tandem
