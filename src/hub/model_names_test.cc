#include "hub/model_names.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

TEST(ModelId, IsWhatTheHubAccepts) {
  for (const char* id : {"a", "all-MiniLM-L6-v2", "BAAI/bge-small-en-v1.5", "cross-encoder/ms-marco-MiniLM-L-12-v2"}) {
    EXPECT_TRUE(is_model_id(id)) << id;
  }
  for (const char* id :
       {"", "/", "a/", "/a", "a/b/c", "..", "a/..", ".a", "-a", "a..b", "a--b", "a b", "a%2f", "a\nb"}) {
    EXPECT_FALSE(is_model_id(id)) << id;
  }
  EXPECT_FALSE(is_model_id(std::string(97, 'a')));
}

TEST(BareModelName, IsOneThatTheHubHasWithoutAnOrganisation) {
  for (const char* name : {"albert-base-v1", "bert-base-uncased", "BERT-base-uncased", "distilroberta-base", "gpt2",
                           "xlm-roberta-base", "xlnet-large-cased"}) {
    EXPECT_TRUE(is_bare_model_name(name)) << name;
  }
  for (const char* name : {"", "bert", "all-MiniLM-L6-v2", "google-bert/bert-base-uncased"}) {
    EXPECT_FALSE(is_bare_model_name(name)) << name;
  }
}

TEST(Revision, IsANameAndNeverAPath) {
  for (const char* revision : {"main", "v1.0", "refs/pr/1", "a+b", "0123abcd", "feature/x-y_z"}) {
    EXPECT_TRUE(is_revision(revision)) << revision;
  }
  for (const char* revision : {"", "/", "/main", "main/", "..", "../main", "a/../b", "a//b", "./a", ".", "-main", "a b",
                               "a\nb", "a%2fb", "a\\b", "~", "a?b", "\xc3\xa4"}) {
    EXPECT_FALSE(is_revision(revision)) << revision;
  }
  EXPECT_FALSE(is_revision(std::string(201, 'a')));
}

TEST(Commit, IsFortyDigits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  for (const char* text : {"", "0123abcd", "0123456789ABCDEF0123456789ABCDEF01234567",
                           "0123456789abcdef0123456789abcdef0123456/", "/etc/passwd"}) {
    EXPECT_FALSE(is_commit(text)) << text;
  }
}

TEST(Key, TellsRevisionsApart) {
  EXPECT_EQ(key_of("org/name", "main"), "org--name");
  EXPECT_EQ(key_of("org/name", "refs/pr/1"), "org--name@refs--pr--1");
}

}  // namespace
}  // namespace tandem
