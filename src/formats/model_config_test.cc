#include "formats/model_config.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBert = R"({"model_type":"bert","architectures":["BertModel"],"hidden_size":384,
  "num_hidden_layers":6,"num_attention_heads":12,"intermediate_size":1536,"vocab_size":30522,
  "max_position_embeddings":512,"type_vocab_size":2,"hidden_act":"gelu","layer_norm_eps":1e-12,"pad_token_id":0})";

/// kBert with members put behind its own, so that they are the ones found.
std::string bert_with(const std::string& members) {
  std::string text = kBert;
  text.pop_back();
  return text + "," + members + "}";
}

// The two schemas as sentence-transformers 2.0.0 and 6.2.0 write them.
constexpr const char* kOldModules = R"([
  {"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
  {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
  {"idx":2,"name":"2","path":"2_Dense","type":"sentence_transformers.models.Dense"},
  {"idx":3,"name":"3","path":"3_Normalize","type":"sentence_transformers.models.Normalize"}])";
constexpr const char* kNewModules = R"([
  {"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"},
  {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
  {"idx":2,"name":"2","path":"2_Dense","type":"sentence_transformers.base.modules.dense.Dense"},
  {"idx":3,"name":"3","path":"3_Normalize","type":"sentence_transformers.base.modules.normalize.Normalize"}])";

std::string error_of(const TemporaryFolder& folder, ErrorCode code) {
  const Result<ModelConfig> config = read_model_config(folder.path());
  if (config) return "no error";
  EXPECT_EQ(config.error().code, code) << config.error().message;
  return config.error().message;
}

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(ModelConfig, ReadsTheOldSchema) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", kOldModules);
  folder.write("1_Pooling/config.json", R"({"word_embedding_dimension":384,"pooling_mode_lasttoken":true,
    "pooling_mode_mean_tokens":true,"pooling_mode_cls_token":true,"pooling_mode_max_tokens":false})");
  folder.write("2_Dense/config.json", R"({"in_features":1152,"out_features":256,"bias":true,
    "activation_function":"torch.nn.modules.linear.Identity"})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length":256,"do_lower_case":true})");
  folder.write("config_sentence_transformers.json", R"({"__version__":{"sentence_transformers":"2.0.0"}})");
  folder.write("tokenizer_config.json", R"({"model_max_length":512})");

  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name, folder.path().filename().string());
  EXPECT_EQ(config->transformer.model_type, "bert");
  EXPECT_EQ(config->transformer.architectures, std::vector<std::string>{"BertModel"});
  EXPECT_EQ(config->transformer.hidden_size, 384U);
  EXPECT_EQ(config->transformer.layers, 6U);
  EXPECT_EQ(config->transformer.heads, 12U);
  EXPECT_EQ(config->transformer.intermediate_size, 1536U);
  EXPECT_EQ(config->transformer.vocabulary_size, 30522U);
  EXPECT_EQ(config->transformer.positions, 512U);
  EXPECT_EQ(config->transformer.token_types, 2U);
  EXPECT_EQ(config->transformer.activation, "gelu");
  EXPECT_EQ(config->transformer.layer_norm_eps, 1e-12);
  EXPECT_TRUE(config->transformer.labels.empty());

  ASSERT_EQ(config->modules.size(), 3U);
  const auto& pooling = std::get<PoolingModule>(config->modules[0]);
  EXPECT_EQ(pooling.modes, (std::vector{Pooling::kCls, Pooling::kMean, Pooling::kLastToken}));
  EXPECT_EQ(pooling.width, 384U);
  EXPECT_TRUE(pooling.include_prompt);
  const auto& dense = std::get<DenseModule>(config->modules[1]);
  EXPECT_EQ(dense.folder, folder.path() / "2_Dense");
  EXPECT_EQ(dense.inputs, 1152U);
  EXPECT_EQ(dense.outputs, 256U);
  EXPECT_EQ(dense.activation, "torch.nn.modules.linear.Identity");
  EXPECT_FALSE(dense.use_residual);
  EXPECT_TRUE(std::holds_alternative<NormalizeModule>(config->modules[2]));

  EXPECT_EQ(config->max_length, 256U);
  EXPECT_EQ(config->tokenizer_max_length, 512U);
  EXPECT_TRUE(config->do_lower_case);
  EXPECT_EQ(max_tokens(*config, 512), 256U);
  EXPECT_EQ(max_tokens(*config, 128), 128U);
}

TEST(ModelConfig, ReadsTheNewSchema) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", kNewModules);
  folder.write("1_Pooling/config.json",
               R"({"embedding_dimension":384,"pooling_mode":["mean","cls"],"include_prompt":false})");
  folder.write("2_Dense/config.json", R"({"in_features":768,"out_features":768,"bias":false,"use_residual":true,
    "module_input_name":"sentence_embedding","module_output_name":"sentence_embedding"})");
  folder.write("3_Normalize/config.json", R"({"module_input_name":"sentence_embedding"})");
  folder.write("sentence_bert_config.json", R"({"transformer_task":"feature-extraction",
    "modality_config":{"text":{"method":"forward","method_output_name":"last_hidden_state"}},
    "module_output_name":"token_embeddings"})");
  folder.write("config_sentence_transformers.json", R"({"model_type":"SentenceTransformer","truncate_dim":64,
    "prompts":{"query":"query: ","document":"","passage":null},"default_prompt_name":"query"})");
  folder.write("tokenizer_config.json", R"({"model_max_length":256})");

  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->modules.size(), 3U);
  const auto& pooling = std::get<PoolingModule>(config->modules[0]);
  EXPECT_EQ(pooling.modes, (std::vector{Pooling::kMean, Pooling::kCls}));
  EXPECT_FALSE(pooling.include_prompt);
  const auto& dense = std::get<DenseModule>(config->modules[1]);
  EXPECT_EQ(dense.activation, "torch.nn.modules.activation.Tanh");
  EXPECT_FALSE(dense.bias);
  EXPECT_TRUE(dense.use_residual);
  EXPECT_EQ(config->prompts, (std::map<std::string, std::string>{{"query", "query: "}, {"document", ""}}));
  EXPECT_EQ(config->default_prompt_name, "query");
  EXPECT_EQ(config->truncate_dimensions, 64U);
  EXPECT_FALSE(config->max_length);
  EXPECT_EQ(max_tokens(*config, 512), 256U);
}

TEST(ModelConfig, ReadsTheTransformerFromItsOwnFolder) {
  TemporaryFolder folder;
  folder.write("modules.json", R"([{"idx":0,"name":"0","path":"0_Transformer",
    "type":"sentence_transformers.models.Transformer"}])");
  folder.write("0_Transformer/config.json", kBert);
  folder.write("0_Transformer/sentence_roberta_config.json", R"({"max_seq_length":128})");
  folder.write("0_Transformer/tokenizer_config.json", R"({"model_max_length":512})");
  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transformer_folder, folder.path() / "0_Transformer");
  EXPECT_TRUE(config->modules.empty());
  EXPECT_EQ(config->max_length, 128U);
  EXPECT_EQ(config->tokenizer_max_length, 512U);
}

TEST(ModelConfig, PoolsByMeanWithoutModules) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("sentence_bert_config.json", R"({"max_seq_length":8})");
  // What transformers writes for a tokenizer without a limit: 10^30 as an integer.
  folder.write("tokenizer_config.json", R"({"model_max_length":1000000000000000019884624838656})");
  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->modules.size(), 1U);
  EXPECT_EQ(std::get<PoolingModule>(config->modules[0]).modes, std::vector{Pooling::kMean});
  EXPECT_FALSE(config->max_length);
  EXPECT_FALSE(config->tokenizer_max_length);
  EXPECT_EQ(max_tokens(*config, 510), 510U);
}

TEST(ModelConfig, ReadsEveryPoolingMode) {
  const struct {
    const char* old_key;
    const char* name;
    Pooling pooling;
  } cases[] = {{"pooling_mode_cls_token", "cls", Pooling::kCls},
               {"pooling_mode_max_tokens", "max", Pooling::kMax},
               {"pooling_mode_mean_tokens", "mean", Pooling::kMean},
               {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
               {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::kWeightedMean},
               {"pooling_mode_lasttoken", "lasttoken", Pooling::kLastToken}};
  for (const auto& test : cases) {
    TemporaryFolder folder;
    folder.write("config.json", kBert);
    folder.write("modules.json", R"([{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
      {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
    for (const std::string& text :
         {fmt::format(R"({{"{}":true}})", test.old_key), fmt::format(R"({{"pooling_mode":"{}"}})", test.name),
          fmt::format(R"({{"pooling_mode":["{}"],"pooling_mode_max_tokens":true}})", test.name)}) {
      folder.write("1_Pooling/config.json", text);
      const Result<ModelConfig> config = read_model_config(folder.path());
      ASSERT_TRUE(config) << config.error().message;
      EXPECT_EQ(std::get<PoolingModule>(config->modules.at(0)).modes, std::vector{test.pooling}) << text;
    }
  }
}

TEST(ModelConfig, ReadsDistilBertsOwnNames) {
  TemporaryFolder folder;
  folder.write("config.json", R"({"model_type":"distilbert","dim":768,"n_layers":6,"n_heads":12,"hidden_dim":3072,
    "vocab_size":30522,"max_position_embeddings":512,"activation":"gelu","pad_token_id":0})");
  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transformer.hidden_size, 768U);
  EXPECT_EQ(config->transformer.intermediate_size, 3072U);
  EXPECT_EQ(config->transformer.token_types, 0U);
  EXPECT_EQ(config->transformer.activation, "gelu");
}

TEST(ModelConfig, ReadsTheLabelsOfACrossEncoder) {
  const struct {
    const char* members;
    std::vector<std::string> labels;
  } cases[] = {
      {R"("id2label":{"0":"LABEL_0"})", {"LABEL_0"}},
      {R"("id2label":{"1":"entailment","0":"contradiction","2":"neutral"})",
       {"contradiction", "entailment", "neutral"}},
      {R"("num_labels":3)", {"LABEL_0", "LABEL_1", "LABEL_2"}},
      {R"("architectures":["BertForSequenceClassification"])", {"LABEL_0", "LABEL_1"}},
  };
  for (const auto& test : cases) {
    TemporaryFolder folder;
    folder.write("config.json", bert_with(test.members));
    const Result<ModelConfig> config = read_model_config(folder.path());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->transformer.labels, test.labels) << test.members;
  }
}

TEST(ModelConfig, FindsTheActivationOfACrossEncoderWhereverItIsWritten) {
  TemporaryFolder folder;
  folder.write("config.json", bert_with(R"("sbert_ce_default_activation_function":"torch.nn.modules.linear.Old")"));
  EXPECT_EQ(read_model_config(folder.path())->transformer.cross_encoder_activation, "torch.nn.modules.linear.Old");
  folder.write("config.json", bert_with(R"("sbert_ce_default_activation_function":"torch.nn.modules.linear.Old",
    "sentence_transformers":{"activation_fn":"torch.nn.modules.linear.Newer","version":"4.0.1"})"));
  EXPECT_EQ(read_model_config(folder.path())->transformer.cross_encoder_activation, "torch.nn.modules.linear.Newer");
  folder.write("config.json", bert_with(R"("sbert_ce_default_activation_function":"torch.nn.modules.linear.Old",
    "sentence_transformers":{"activation_fn":null})"));
  EXPECT_EQ(read_model_config(folder.path())->transformer.cross_encoder_activation, std::nullopt);
  // The reference looks at this file where modules.json is, and nowhere else.
  folder.write("config.json", kBert);
  folder.write("config_sentence_transformers.json",
               R"({"model_type":"CrossEncoder","activation_fn":"torch.nn.modules.linear.Newest"})");
  EXPECT_EQ(read_model_config(folder.path())->transformer.cross_encoder_activation, std::nullopt);
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"}])");
  folder.write("sentence_bert_config.json", R"({"transformer_task":"sequence-classification"})");
  EXPECT_EQ(read_model_config(folder.path())->transformer.cross_encoder_activation, "torch.nn.modules.linear.Newest");
}

TEST(ModelConfig, AFolderIsReadForWhatItIsAskedToBe) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", kOldModules);
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"cls"})");
  folder.write("2_Dense/config.json", R"({"in_features":384,"out_features":8})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length":128,"do_lower_case":true})");
  folder.write("config_sentence_transformers.json",
               R"({"prompts":{"query":"q: "},"default_prompt_name":"query","similarity_fn_name":"dot"})");
  const Result<ModelConfig> vectors = read_model_config(folder.path(), ModelUse::kVectors);
  ASSERT_TRUE(vectors) << vectors.error().message;
  EXPECT_EQ(vectors->max_length, 128U);
  EXPECT_EQ(vectors->similarity, "dot");
  const Result<ModelConfig> scores = read_model_config(folder.path(), ModelUse::kScores);
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_EQ(scores->max_length, std::nullopt);
  EXPECT_FALSE(scores->do_lower_case);
  EXPECT_TRUE(scores->prompts.empty());
  folder.write("config_sentence_transformers.json", R"({"model_type":"CrossEncoder"})");
  const Result<ModelConfig> wrong = read_model_config(folder.path(), ModelUse::kVectors);
  ASSERT_FALSE(wrong);
  EXPECT_CONTAINS(wrong.error().message, "holds a cross-encoder");
}

TEST(ModelConfig, EveryDeclaredKeyThatChangesResultsIsFollowedOrRefusedByName) {
  const struct {
    const char* file;
    const char* text;
    const char* part;
  } refused[] = {
      {"config.json", R"("add_cross_attention":true)", "config.json: add_cross_attention"},
      {"config.json", R"("pruned_heads":{"0":[1]})", "config.json: pruned_heads"},
      {"config.json", R"("quantization_config":{"bits":4})", "config.json: quantization_config"},
      {"sentence_bert_config.json", R"({"something_new":1})", "something_new is not a setting"},
      {"sentence_bert_config.json", R"({"query_length":8})", "query_length is not supported"},
      {"sentence_bert_config.json", R"({"processor_kwargs":{"padding_side":"left"}})", "processor_kwargs"},
      {"sentence_bert_config.json", R"({"processing_kwargs":{"text":{"add_special_tokens":false}}})",
       "processing_kwargs: text: add_special_tokens false"},
      {"sentence_bert_config.json", R"({"module_output_name":"sentence_embedding"})", "module_output_name"},
      {"sentence_bert_config.json", R"({"transformer_task":"fill-mask"})", "transformer_task \"fill-mask\""},
      {"1_Pooling/config.json", R"({"pooling_mode":"mean","skip_first":true})", "skip_first is not a setting"},
      {"2_Dense/config.json", R"({"in_features":384,"out_features":8,"activation_function":"mine.ReLU"})",
       "activation_function 'mine.ReLU'"},
      {"tokenizer_config.json", R"({"model_max_length":0})", "model_max_length is 0"},
  };
  for (const auto& test : refused) {
    TemporaryFolder folder;
    folder.write("config.json", std::string_view(test.file) == "config.json" ? bert_with(test.text) : kBert);
    folder.write("modules.json", kOldModules);
    folder.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
    folder.write("2_Dense/config.json", R"({"in_features":384,"out_features":8})");
    if (std::string_view(test.file) != "config.json") folder.write(test.file, test.text);
    const Result<ModelConfig> config = read_model_config(folder.path());
    ASSERT_FALSE(config) << test.text;
    EXPECT_CONTAINS(config.error().message, test.part);
  }
}

TEST(ModelConfig, FollowsHowTheTokenizerIsCalled) {
  TemporaryFolder folder;
  folder.write("config.json", bert_with(R"("is_decoder":true)"));
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
    {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
  folder.write("sentence_bert_config.json",
               R"({"max_seq_length":64,"processing_kwargs":{"text":{"max_length":8,"truncation":true}}})");
  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->max_length, 8U);
  EXPECT_TRUE(config->transformer.is_decoder);
  folder.write("sentence_bert_config.json", "{}");
  folder.write("sentence_roberta_config.json", R"({"max_seq_length":32})");
  EXPECT_EQ(read_model_config(folder.path())->max_length, 32U);
  folder.write("sentence_roberta_config.json", "{}");
  folder.write("tokenizer_config.json", R"({"max_len":24})");
  EXPECT_EQ(read_model_config(folder.path())->tokenizer_max_length, 24U);
}

TEST(ModelConfig, TakesTheNameFromTheStoresRecordOrTheCachesLayout) {
  TemporaryFolder folder;
  const fs::path snapshot = "models--cross-encoder--ms-marco-MiniLM-L6-v2/snapshots/0123abcd";
  folder.write(snapshot / "config.json", kBert);
  EXPECT_EQ(read_model_config(folder.path() / snapshot)->name, "cross-encoder/ms-marco-MiniLM-L6-v2");
  folder.write("plain/config.json", kBert);
  EXPECT_EQ(read_model_config((folder.path() / "plain").string() + "/")->name, "plain");
  folder.write("plain/tandem.json", R"({"id":"BAAI/bge-small-en-v1.5"})");
  EXPECT_EQ(read_model_config(folder.path() / "plain")->name, "BAAI/bge-small-en-v1.5");
}

TEST(ModelConfig, RefusesANameWithControlCharacters) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("tandem.json", R"({"id":"org/name\n2 Q0 x\u001b[2J"})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "the model name");
  folder.write("a\nb/config.json", kBert);
  const auto config = read_model_config(folder.path() / "a\nb");
  ASSERT_FALSE(config);
  EXPECT_CONTAINS(config.error().message, "U+000A");
}

TEST(ModelConfig, NamesTheModuleThatIsNotSupported) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  const std::string transformer =
      R"([{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},)";
  folder.write("modules.json", transformer + R"({"path":"1_LSTM","type":"sentence_transformers.models.LSTM"}])");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "module sentence_transformers.models.LSTM is not");
  folder.write("modules.json",
               transformer + R"({"path":"1","type":"sentence_transformers.models.WeightedLayerPooling"}])");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported),
                  "module sentence_transformers.models.WeightedLayerPooling is not");
  folder.write("modules.json", transformer + R"({"path":"1","type":"somebody.else.Pooling"}])");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "module somebody.else.Pooling is not");
  folder.write("modules.json", R"([{"path":"","type":"custom_st.Transformer"}])");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "the first module is custom_st.Transformer");
  folder.write("modules.json", "[]");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "the first module is missing");
  folder.write("modules.json", transformer + R"({"path":"","type":"sentence_transformers.models.Normalize"}])");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "no Pooling right after the Transformer");
}

// What would be done, or kept, for each of them.
TEST(ModelConfig, BoundsWhatIsReadAgainAndAgain) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("1_Pooling/config.json", "{}");
  const auto modules = [](std::size_t count) {
    std::string list = R"([{"path":"","type":"sentence_transformers.models.Transformer"},
      {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"})";
    while (count-- > 2) list += R"(,{"path":"2_Normalize","type":"sentence_transformers.models.Normalize"})";
    return list + "]";
  };
  folder.write("modules.json", modules(64));
  EXPECT_EQ(error_of(folder, ErrorCode::kUnsupported), "no error");
  folder.write("modules.json", modules(65));
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "the number of modules is 65, want 0 to 64");
  folder.write("modules.json", modules(2));
  folder.write("1_Pooling/config.json", R"({"pooling_mode":["mean","cls","mean"]})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "pooling_mode names \"mean\" twice");
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
  folder.write("config_sentence_transformers.json", R"({"prompts":{"query":")" + std::string(20'000, 'q') + R"("}})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "the prompt 'query' has 20000 bytes");
}

TEST(ModelConfig, BoundsLabelsHoweverTheyAreGiven) {
  TemporaryFolder folder;
  folder.write("config.json", bert_with("\"num_labels\":65537"));
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "num_labels is 65537, want 1 to 65536");
  std::string names;
  for (std::size_t id = 0; id <= 65536; ++id) names += fmt::format("{}\"{}\":\"x\"", id > 0 ? "," : "", id);
  folder.write("config.json", bert_with("\"id2label\":{" + names + "}"));
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData),
                  "the number of labels in id2label is 65537, want 0 to 65536");
}

TEST(ModelConfig, ReadsLayerNormAndLeavesDropoutOut) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
    {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
    {"path":"2_Dropout","type":"sentence_transformers.models.Dropout"},
    {"path":"3_LayerNorm","type":"sentence_transformers.models.LayerNorm"}])");
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
  folder.write("3_LayerNorm/config.json", R"({"dimension":384})");
  const Result<ModelConfig> config = read_model_config(folder.path());
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->modules.size(), 2U);
  EXPECT_EQ(std::get<LayerNormModule>(config->modules[1]).width, 384U);
  folder.write("3_LayerNorm/config.json", R"({"dimension":8})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "LayerNorm wants 8 components (dimension), but gets 384");
}

TEST(ModelConfig, RefusesModulesThatDoNotFitTogether) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", kOldModules);
  const auto pooling = [&folder](const char* text) { folder.write("1_Pooling/config.json", text); };
  const auto dense = [&folder](const char* text) { folder.write("2_Dense/config.json", text); };
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kNotFound), "1_Pooling/config.json");
  pooling(R"({"pooling_mode":"mean"})");
  dense(R"({"in_features":768,"out_features":8})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "Dense wants 768 inputs (in_features), but gets 384");
  dense(R"({"in_features":384,"out_features":8,"module_input_name":"token_embeddings"})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "module_input_name \"token_embeddings\"");
  dense(R"({"in_features":384,"out_features":0})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "out_features is 0, want 1 to");
  dense(R"({"in_features":384,"out_features":8})");
  pooling(R"({"pooling_mode":"median"})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "pooling_mode \"median\"");
  pooling(R"({"pooling_mode_median_tokens":true})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported),
                  "pooling_mode_median_tokens is not a setting that Tandem knows");
  pooling(R"({"pooling_mode":[]})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "pooling_mode is empty");
  pooling(R"({"word_embedding_dimension":768,"pooling_mode_mean_tokens":true})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "token vectors of 768 components, the encoder's have 384");
}

TEST(ModelConfig, TakesPathsThatStayInTheFolder) {
  for (const auto& [path, place] :
       {std::pair(".", ""), std::pair("./", ""), std::pair("./0_Transformer", "0_Transformer"),
        std::pair("0_Transformer/", "0_Transformer")}) {
    TemporaryFolder folder;
    folder.write(fs::path(place) / "config.json", kBert);
    folder.write("1_Pooling/config.json", R"({"pooling_mode":"cls"})");
    folder.write("modules.json", fmt::format(R"([{{"path":"{}","type":"sentence_transformers.models.Transformer"}},
                                 {{"path":"./1_Pooling","type":"sentence_transformers.models.Pooling"}}])",
                                             path));
    const Result<ModelConfig> config = read_model_config(folder.path());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->transformer_folder, *place == '\0' ? folder.path() : folder.path() / place);
    EXPECT_EQ(std::get<PoolingModule>(config->modules.at(0)).modes, std::vector{Pooling::kCls});
  }
}

TEST(ModelConfig, SaysThatAFolderIsPartial) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("model.safetensors", "");
  EXPECT_TRUE(missing_module_files(folder.path())->empty());
  folder.write("modules.json", kOldModules);
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kNotFound), "/1_Pooling/config.json");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kNotFound),
                  folder.path().string() + " is partial: its modules.json names this module");
  const fs::path dense = folder.path() / "2_Dense";
  EXPECT_EQ(missing_module_files(folder.path()).value(),
            (std::vector<fs::path>{folder.path() / "1_Pooling/config.json", dense / "config.json",
                                   dense / "model.safetensors"}));
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"cls"})");
  folder.write("2_Dense/config.json", R"({"in_features":384,"out_features":2})");
  folder.write("2_Dense/pytorch_model.bin", "");
  EXPECT_TRUE(missing_module_files(folder.path())->empty());
  EXPECT_TRUE(read_model_config(folder.path()));
}

TEST(ModelConfig, RefusesPathsOutOfTheFolder) {
  for (const char* path : {"../other", "/etc", "a/../../b", "a/../b", "./.."}) {
    TemporaryFolder folder;
    folder.write("config.json", kBert);
    folder.write("modules.json",
                 fmt::format(R"([{{"path":"{}","type":"sentence_transformers.models.Transformer"}}])", path));
    EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "leads out of the folder");
  }
}

TEST(ModelConfig, RefusesConfigsThatMakeNoSense) {
  const struct {
    std::string text;
    ErrorCode code;
    const char* part;
  } cases[] = {
      {"{", ErrorCode::kCorruptData, "config.json: not valid JSON"},
      {"[]", ErrorCode::kCorruptData, "config.json: want a JSON object"},
      {"{}", ErrorCode::kCorruptData, "model_type is missing"},
      {R"({"model_type":"t5","d_model":512})", ErrorCode::kUnsupported, "model_type \"t5\" has no hidden_size"},
      {bert_with(R"("hidden_size":"wide")"), ErrorCode::kCorruptData, "hidden_size: expected an unsigned integer"},
      {bert_with(R"("hidden_size":-1)"), ErrorCode::kCorruptData, "hidden_size: expected an unsigned integer"},
      {bert_with(R"("hidden_size":0)"), ErrorCode::kCorruptData, "hidden_size is 0"},
      {bert_with(R"("vocab_size":18446744073709551615)"), ErrorCode::kCorruptData,
       "vocab_size is 18446744073709551615"},
      {bert_with(R"("num_attention_heads":7)"), ErrorCode::kCorruptData, "384 is not a multiple of"},
      {bert_with(R"("hidden_act":null)"), ErrorCode::kCorruptData, "hidden_act is missing"},
      {bert_with(R"("layer_norm_eps":0)"), ErrorCode::kCorruptData, "layer_norm_eps is 0"},
      {bert_with(R"("architectures":"BertModel")"), ErrorCode::kCorruptData, "architectures: expected an array"},
      {bert_with(R"("id2label":{"0":"a","2":"b"})"), ErrorCode::kCorruptData, "2 ids up to 2"},
      {bert_with(R"("id2label":{"0":"a","00":"b"})"), ErrorCode::kCorruptData, "\"00\" is not an id"},
      {bert_with(R"("id2label":{"x":"a"})"), ErrorCode::kCorruptData, "\"x\" is not an id"},
      {bert_with(R"("num_labels":99999999999)"), ErrorCode::kCorruptData, "num_labels is 99999999999"},
  };
  for (const auto& test : cases) {
    TemporaryFolder folder;
    folder.write("config.json", test.text);
    EXPECT_CONTAINS(error_of(folder, test.code), test.part);
  }
}

TEST(ModelConfig, RefusesOtherKindsOfModels) {
  TemporaryFolder folder;
  folder.write("config.json", kBert);
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"}])");
  folder.write("config_sentence_transformers.json", R"({"model_type":"SparseEncoder"})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "model_type \"SparseEncoder\"");
  folder.write("config_sentence_transformers.json", R"({"default_prompt_name":"query","prompts":{"query":null}})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kCorruptData), "default_prompt_name \"query\" is not among the prompts");
  folder.write("sentence_bert_config.json", R"({"transformer_task":"text-generation"})");
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kUnsupported), "transformer_task \"text-generation\"");
}

TEST(ModelConfig, TakesALinkThatLeadsNowhereForNoAbsentFile) {
  for (const char* name : {"modules.json", "tokenizer_config.json", "config_sentence_transformers.json"}) {
    TemporaryFolder folder;
    folder.write("config.json", kBert);
    if (std::string_view(name) == "config_sentence_transformers.json") {
      folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"}])");
    }
    ASSERT_TRUE(read_model_config(folder.path()));
    fs::create_symlink("../blobs/of-a-cache-that-was-pruned", folder.path() / name);
    EXPECT_CONTAINS(error_of(folder, ErrorCode::kNotFound), name);
  }
}

TEST(ModelConfig, SaysThatAFolderIsMissing) {
  const Result<ModelConfig> config = read_model_config("/nonexistent/model");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kNotFound);
  TemporaryFolder folder;
  EXPECT_CONTAINS(error_of(folder, ErrorCode::kNotFound), "config.json");
}

}  // namespace
}  // namespace tandem
