// What the C ABI refuses of a small model, and that a call that fails leaves everything as it was.
#include <cmath>
#include <cstdio>
#include <thread>

#include "idle_executor.h"
#include "model_fixture.h"

namespace {

using namespace test;

void failures_change_nothing(const OpenModel& m) {
  Run run(m, 2, params(128));
  const std::vector<int32_t> prompt = tokens(60), more = tokens(10, 2);
  run.last(prompt);

  const int32_t stop = 1;
  CHECK_EQ(run.decode(more, std::vector<int32_t>(10, 0), std::vector<uint8_t>(10, 1), &stop), NT_CANCELLED);
  CHECK_EQ(nt_seq_length(run.context, 0), 60);
  std::vector<float> none(kVocab);
  CHECK_EQ(nt_get_logits(run.context, 0, none.data(), kVocab, &run.error), NT_INVALID_ARGUMENT);

  const std::vector<int32_t> many = tokens(69, 3);
  CHECK_EQ(run.decode(many, std::vector<int32_t>(69, 0), std::vector<uint8_t>(69, 0)), NT_CONTEXT_FULL);
  CHECK_EQ(run.error.used, 60);
  CHECK_EQ(run.error.wanted, 69);
  CHECK_EQ(run.error.capacity, 128);
  CHECK_EQ(nt_seq_length(run.context, 0), 60);

  CHECK_EQ(run.decode({kVocab}, {0}, {1}), NT_INVALID_ARGUMENT);
  CHECK_EQ(run.decode({-1}, {0}, {1}), NT_INVALID_ARGUMENT);
  const int32_t token = 1, seq = 5, zero = 0, position = 7;
  const uint8_t want = 1;
  CHECK_EQ(nt_decode(run.context, 1, &token, &seq, &zero, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 1, &token, &zero, &position, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 0, &token, &zero, &position, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);

  std::vector<int32_t> all = prompt;
  all.insert(all.end(), more.begin(), more.end());
  CHECK(run.last(more) == Run(m, 1, params(128)).last(all));
}

// A call that is refused leaves no logits of an earlier one to be taken for its own.
void refusal_drops_logits(const OpenModel& m) {
  Run run(m, 1, params(128));
  run.last(tokens(5));
  CHECK_EQ(run.decode({kVocab}, {0}, {1}), NT_INVALID_ARGUMENT);
  std::vector<float> none(kVocab);
  CHECK_EQ(nt_get_logits(run.context, 0, none.data(), kVocab, &run.error), NT_INVALID_ARGUMENT);
}

// A flag that is set only for a moment, while a stage leaves its work undone.
void cancelling_is_final() {
  class Flicker final : public test::IdleExecutor {
   public:
    int32_t flag = 0;

   private:
    const nt::Step* step_ = nullptr;
    void begin(const nt::Step& step) override { step_ = &step; }
    void qkv(const nt::Layer&, int) override {
      flag = 1;
      CHECK(nt::cancelled(*step_));
      flag = 0;
    }
  };
  nt::Model model;
  model.layers.resize(2);
  Flicker x;
  nt::Step step;
  step.cancel = &x.flag;
  CHECK(!nt::forward(x, model, step));
}

void extreme_contexts(const OpenModel& m) {
  nt_error e{};
  nt_pool* pool = nt_pool_new(1, &e);
  const auto status = [&](nt_context_params p) {
    e.status = NT_OK;
    nt_context* c = nt_context_new(m.model, pool, &p, &e);
    CHECK((c == nullptr) == (e.status != NT_OK));
    nt_context_info info{};
    if (c != nullptr) {
      nt_context_get_info(c, &info);
      CHECK(info.n_ctx > 0 && info.kv_capacity > 0 && info.kv_bytes == 0);
    }
    nt_context_free(c);
    return e.status;
  };
  nt_context_params p = params(0, 65536, 4096);
  CHECK_EQ(status(p), NT_OK);
  p.kv_capacity = INT64_MAX;
  CHECK_EQ(status(p), NT_OK);

  // A TiB of keys and values.
  CHECK_EQ(status(params(1 << 30, 1, 4096)), NT_OUT_OF_MEMORY);
  int fits = 0;
  double working = 0, weights = 0, physical = 0, available = 0;
  CHECK_EQ(
      std::sscanf(e.message,
                  "a context of 1073741824 tokens takes 1024.000 GiB of keys and values and %lf GiB of working "
                  "memory beside %lf GiB of weights, and of %lf GiB of memory %lf are available; n_ctx %d would fit",
                  &working, &weights, &physical, &available, &fits),
      5);
  CHECK(fits > 0 && fits / double{1 << 20} <= available && available <= physical);
  CHECK_EQ(status(params(fits)), NT_OK);
  p.n_ctx = 1 << 30;  // of which the cache holds what the caller says
  CHECK_EQ(status(p), NT_OK);
  p.kv_capacity = 0;
  CHECK_EQ(status(p), NT_OUT_OF_MEMORY);
  p.overcommit = 1;
  CHECK_EQ(status(p), NT_OK);
  CHECK_EQ(status(params(INT32_MAX)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(-1)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(1, 65537)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(1, 1, 4097)), NT_INVALID_ARGUMENT);
  nt_pool_free(pool);
}

nt_sampling greedy_sampling() {
  nt_sampling p;
  nt_sampling_init(&p);
  p.temperature = 0;
  return p;
}

// What writes results writes all of them or none.
void sampling_is_all_or_nothing(const OpenModel& m) {
  Run run(m, 1, params(128));
  CHECK_EQ(run.decode({1, 2}, {0, 0}, {1, 1}), NT_OK);
  const int32_t rows[] = {0, 1}, bad_rows[] = {0, 2}, some[] = {3, 4};
  nt_sampling greedy[2] = {greedy_sampling(), greedy_sampling()};
  std::vector<uint64_t> masks(2 * ((kVocab + 63) / 64));
  masks[0] = 1;
  int32_t out[2] = {-7, -7};
  CHECK_EQ(nt_sample(run.context, 2, rows, greedy, masks.data(), out, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(out[0], -7);
  CHECK_EQ(nt_sample(run.context, 2, rows, greedy, nullptr, out, &run.error), NT_OK);
  CHECK(out[0] >= 0 && out[1] >= 0);
  float logprobs[2] = {7, 7};
  CHECK_EQ(nt_token_logprobs(run.context, 2, bad_rows, some, logprobs, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(logprobs[0], 7.0f);
}

// Weights that make logits no number: no call that needs an order of them gives one.
void logits_that_are_no_numbers() {
  for (float weight : {std::nanf(""), HUGE_VALF}) {
    ModelWriter w(8);
    std::string rows;
    for (int i = 0; i < kVocab * kEmbd; ++i) rows += GgufWriter::value(i / kEmbd == 7 ? weight : 0.5f);
    w.writer().tensor("output.weight", {kEmbd, kVocab}, 0, w.writer().data_size()).raw_data(rows);
    const OpenModel m(w.writer().bytes());
    Run run(m, 1, params(128));
    const std::vector<float> logits = run.last({1, 2});
    CHECK(!std::isfinite(logits[7]) && std::isfinite(logits[8]));
    const int32_t row = 0, token = 8;
    float logprob = 7;
    int32_t chosen = -7;
    nt_sampling greedy = greedy_sampling();
    CHECK_EQ(nt_token_logprobs(run.context, 1, &row, &token, &logprob, &run.error), NT_INTERNAL);
    CHECK(std::string(run.error.message).find("token 7") != std::string::npos);
    CHECK_EQ(nt_top_logprobs(run.context, 0, 1, &chosen, &logprob, &run.error), NT_INTERNAL);
    CHECK_EQ(nt_sample(run.context, 1, &row, &greedy, nullptr, &chosen, &run.error), NT_INTERNAL);
    CHECK_EQ(logprob, 7.0f);
    CHECK_EQ(chosen, -7);
  }
}

// What is refused leaves the sum as it was.
void hidden_states_are_checked(const OpenModel& m) {
  Run run(m, 1, params(128));
  std::vector<double> sum(kEmbd, 7);
  const auto status = [&](int first, int n) {
    return nt_add_hidden(run.context, first, n, sum.data(), kEmbd, &run.error);
  };
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  CHECK_EQ(run.decode({1, 2}, {0, 0}, {NT_WANT_HIDDEN, NT_WANT_HIDDEN}), NT_OK);
  for (int first : {-1, 2, INT32_MAX}) CHECK_EQ(status(first, 1), NT_INVALID_ARGUMENT);
  for (int n : {-1, 3, INT32_MAX}) CHECK_EQ(status(0, n), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(run.context, 0, 1, sum.data(), kEmbd - 1, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(run.context, 0, 1, nullptr, kEmbd, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(nullptr, 0, 1, sum.data(), kEmbd, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(2, 0), NT_OK);
  CHECK_EQ(run.decode({1}, {0}, {NT_WANT_HIDDEN + 1}), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  const int32_t stop = 1;
  CHECK_EQ(run.decode({1}, {0}, {NT_WANT_HIDDEN}, &stop), NT_CANCELLED);
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  CHECK(sum == std::vector<double>(kEmbd, 7));

  std::string bytes = ModelWriter(8).writer().bytes();
  const std::string one = GgufWriter::value(1.0f), nan = GgufWriter::value(std::nanf(""));
  bytes.replace(bytes.rfind(one + one), one.size(), nan);  // of output_norm, the last tensor
  const OpenModel broken(bytes);
  Run broken_run(broken, 1, params(128));
  CHECK_EQ(broken_run.decode({1}, {0}, {NT_WANT_HIDDEN}), NT_OK);
  CHECK_EQ(nt_add_hidden(broken_run.context, 0, 1, sum.data(), kEmbd, &broken_run.error), NT_INTERNAL);
  CHECK(sum == std::vector<double>(kEmbd, 7));
}

void null_arguments(const OpenModel& m) {
  Run run(m, 1, params(128));
  run.last(tokens(2));
  nt_error e{};
  const int32_t zero = 0;
  nt_sampling greedy = greedy_sampling();
  int32_t token = 0;
  float logprob = 0;
  CHECK_EQ(nt_file_get_kv(nullptr, 0, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_copy_strings(nullptr, 0, nullptr, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_get_tensor(nullptr, 0, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_decode_rows(nullptr, 0, 0, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_touch(nullptr, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 1, nullptr, nullptr, nullptr, nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_truncate(nullptr, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_fork(nullptr, 0, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_save(run.context, 0, 0, 1, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_load(run.context, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  run.last(tokens(1));
  CHECK_EQ(nt_get_logits(run.context, 0, nullptr, kVocab, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_top_logprobs(run.context, 0, 1, nullptr, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_top_logprobs(run.context, 0, 1, &token, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, nullptr, &zero, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, &zero, nullptr, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, &zero, &zero, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, nullptr, &greedy, nullptr, &token, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, &zero, nullptr, nullptr, &token, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, &zero, &greedy, nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_measure_bandwidth(nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_measure_dot(nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK(nt_model_new(nullptr, &e) == nullptr);
}

// Linear scaling is named by its factor, under today's key or the old one, with or without a type; "none" means none.
void rope_scaling_keys(const OpenModel& plain) {
  const auto logits = [](const char* type, const char* key, float factor) {
    ModelWriter w(8);
    if (type != nullptr) w.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string(type));
    w.writer().key(key, NT_KV_FLOAT32, GgufWriter::value(factor));
    const OpenModel m(w.writer().bytes());
    CHECK(m.model != nullptr);
    return m.model != nullptr ? Run(m, 1, params(64)).last(tokens(9)) : std::vector<float>();
  };
  constexpr char kFactor[] = "llama.rope.scaling.factor", kOld[] = "llama.rope.scale_linear";
  const std::vector<float> unscaled = Run(plain, 1, params(64)).last(tokens(9)), scaled = logits("linear", kFactor, 4);
  CHECK(scaled != unscaled);
  CHECK(logits(nullptr, kFactor, 4) == scaled);
  CHECK(logits(nullptr, kOld, 4) == scaled);
  CHECK(logits("linear", kOld, 4) == scaled);
  CHECK(logits("none", kFactor, 4) == unscaled);
  CHECK(logits("none", kOld, 4) == unscaled);
  const OpenModel slowed(with_rope_factors(2).writer().bytes());
  CHECK(Run(slowed, 1, params(64)).last(tokens(9)) == logits("linear", kFactor, 2));
}

void refuses_cache_types(const OpenModel& m) {
  nt_error e{};
  nt_pool* pool = nt_pool_new(1, &e);
  nt_context_params p = params(64);
  for (int32_t type : {-1, 2}) {
    p.kv_type = type;
    CHECK(nt_context_new(m.model, pool, &p, &e) == nullptr);
    CHECK_EQ(e.status, NT_INVALID_ARGUMENT);
  }
  nt_pool_free(pool);
}

void refuses_what_it_does_not_run() {
  const auto refused = [](int line, ModelWriter w, nt_status status, const char* part) {
    const OpenModel m(w.writer().bytes());
    if (m.model != nullptr || m.error.status != status ||
        std::string(m.error.message).find(part) == std::string::npos) {
      test::fail(__FILE__, line, nt::format("status %d, \"%s\"", m.error.status, m.error.message));
    }
  };
  ModelWriter experts(8);
  experts.writer().u32("llama.expert_count", 8);
  refused(__LINE__, experts, NT_UNSUPPORTED, "llama.expert_count is 8");
  ModelWriter scaling(8);
  scaling.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string("yarn"));
  refused(__LINE__, scaling, NT_UNSUPPORTED, "rope scaling \"yarn\"");
  ModelWriter bias(8);
  bias.writer()
      .tensor("blk.0.attn_q.bias", {kEmbd}, 0, bias.writer().data_size())
      .raw_data(std::string(4 * kEmbd, '\0'));
  refused(__LINE__, bias, NT_UNSUPPORTED, "blk.0.attn_q.bias");
  ModelWriter shape(8);
  shape.writer().u32("llama.attention.key_length", 128);
  refused(__LINE__, shape, NT_FORMAT, "blk.0.attn_q.weight is 256 × 256; the configuration says 512 × 256");

  for (float factor : {0.0f, -1.0f, std::nanf(""), HUGE_VALF}) {
    refused(__LINE__, with_rope_factors(factor), NT_FORMAT, "value 5 of tensor rope_freqs.weight is");
  }

  // A value that is no float is refused, however it is written.
  for (double factor : {1e300, 1e-300, 1e-40, -1.0, std::nan("")}) {
    ModelWriter real(8);
    real.writer().key("llama.rope.scaling.factor", NT_KV_FLOAT64, GgufWriter::value(factor));
    refused(__LINE__, real, NT_FORMAT, "llama.rope.scaling.factor is");
  }
  ModelWriter long_name(8);
  long_name.writer()
      .tensor(std::string(5000, '\xff'), {8}, 0, long_name.writer().data_size())
      .raw_data(std::string(32, '\0'));
  refused(__LINE__, long_name, NT_UNSUPPORTED, "Supported: token_embd");
  ModelWriter long_type(8);
  long_type.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string(std::string(5000, '\xff')));
  refused(__LINE__, long_type, NT_UNSUPPORTED, "Supported: \"none\"");

  // Keys without which no one knows what the model computes.
  for (std::string key : {"llama.attention.layer_norm_rms_epsilon", "llama.attention.head_count"}) {
    std::string bytes = ModelWriter(8).writer().bytes();
    const std::string length = GgufWriter::value<uint64_t>(key.size());
    bytes[bytes.find(length + key) + length.size() + key.size() - 1] = '?';
    const OpenModel m(bytes);
    CHECK_EQ(m.error.status, NT_FORMAT);
    CHECK_EQ(std::string(m.error.message), "the file has no " + key);
  }
}

}  // namespace

int main() {
  for (uint32_t type : kMatrixTypes) {
    for (int32_t t : {NT_CACHE_F16, NT_CACHE_Q8_0}) {
      kv_type = t;
      with_model(type, failures_change_nothing);
    }
  }
  kv_type = NT_CACHE_F16;
  with_model(8, [](const OpenModel& m) {
    refuses_cache_types(m);
    refusal_drops_logits(m);
    cancelling_is_final();
    extreme_contexts(m);
    sampling_is_all_or_nothing(m);
    hidden_states_are_checked(m);
    null_arguments(m);
    rope_scaling_keys(m);
  });
  logits_that_are_no_numbers();
  refuses_what_it_does_not_run();
  return test::result();
}
