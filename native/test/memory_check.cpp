// Estimates what a model takes from its header, fills a context of it, and measures what that took: for an oracle.
//   memory_check MODEL N_CTX KV_TYPE
// Prints {"weight_bytes", "kv_bytes", "working_bytes", "measured_kv_bytes", "measured_working_bytes"}. N_CTX: 1024 or
// more, a multiple of 64. KV_TYPE: f16 or q8_0. Passes of 512 tokens, two threads.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "nautil.h"

namespace {

constexpr int kPage = 64, kPass = 512, kThreads = 2;
constexpr int kLastPasses[] = {16, 32, 64, 128};  // tokens, at the context's end: few enough for attention to be split
constexpr int kTail = 128;

nt_error error;

void require(bool holds) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", error.message);
  std::exit(1);
}

// Decodes n more tokens of sequence 0 and samples the one that follows, so that all kinds of memory are used.
void decode(nt_context* context, int n) {
  const int length = nt_seq_length(context, 0);
  std::vector<int32_t> tokens(n), seqs(n, 0), positions(n);
  for (int i = 0; i < n; ++i) {
    tokens[i] = 3 + i;
    positions[i] = length + i;
  }
  std::vector<uint8_t> want(n, NT_WANT_NOTHING);
  want[n - 1] = NT_WANT_LOGITS;
  require(nt_decode(context, n, tokens.data(), seqs.data(), positions.data(), want.data(), nullptr, &error) == NT_OK);
  nt_sampling sampling;
  nt_sampling_init(&sampling);
  sampling.top_p = 0.9f;
  const int32_t row = 0;
  int32_t token;
  float logprob;
  require(nt_sample(context, 1, &row, &sampling, nullptr, &token, &error) == NT_OK);
  require(nt_token_logprobs(context, 1, &row, &token, &logprob, &error) == NT_OK);
}

// Appends copies of the sequence's first page until it has n tokens: attention would take hours to compute them. A
// block says where it begins at byte 28: see kv_block.h.
void fill(nt_context* context, int n, std::vector<uint8_t>* block) {
  const auto bytes = static_cast<int64_t>(block->size());
  require(nt_seq_save(context, 0, 0, kPage, block->data(), bytes, &error) == NT_OK);
  for (int32_t first = nt_seq_length(context, 0); first < n; first += kPage) {
    std::memcpy(block->data() + 28, &first, sizeof first);
    require(nt_seq_load(context, 0, block->data(), bytes, &error) == NT_OK);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  nt_context_params params{};
  params.n_ctx = std::atoi(argv[2]);
  params.kv_type = std::strcmp(argv[3], "q8_0") == 0 ? NT_CACHE_Q8_0 : NT_CACHE_F16;
  if (params.n_ctx < 2 * kPass || params.n_ctx % kPage != 0) return 2;

  nt_file* header = nt_file_open(argv[1], NT_FILE_HEADER, &error);
  require(header != nullptr);
  nt_memory_estimate estimate;
  require(nt_file_estimate(header, kThreads, &params, 0, &estimate, &error) == NT_OK);
  nt_file_close(header);

  nt_file* file = nt_file_open(argv[1], 0, &error);
  require(file != nullptr);
  nt_model* model = nt_model_new(file, &error);
  require(model != nullptr);
  nt_pool* pool = nt_pool_new(kThreads, &error);
  nt_context* context = nt_context_new(model, pool, &params, &error);
  require(context != nullptr);
  std::vector<uint8_t> block(static_cast<size_t>(nt_seq_saved_bytes(context, kPage)));
  nt_context_free(context);

  const int64_t before = nt_anonymous_memory();
  context = nt_context_new(model, pool, &params, &error);
  require(context != nullptr);
  decode(context, kPass);
  const int filled = params.n_ctx - kPass - kTail;
  const int64_t before_fill = nt_anonymous_memory();
  fill(context, kPass + filled, &block);
  const int64_t after_fill = nt_anonymous_memory();
  for (const int n : kLastPasses) {
    require(nt_seq_truncate(context, 0, params.n_ctx - kTail, &error) == NT_OK);
    decode(context, n);
  }
  const int64_t after = nt_anonymous_memory();

  const auto kv = static_cast<int64_t>(static_cast<double>(after_fill - before_fill) / filled * params.n_ctx);
  std::printf(
      "{\"weight_bytes\": %lld, \"kv_bytes\": %lld, \"working_bytes\": %lld, \"measured_kv_bytes\": %lld, "
      "\"measured_working_bytes\": %lld}\n",
      static_cast<long long>(estimate.weight_bytes), static_cast<long long>(estimate.kv_bytes),
      static_cast<long long>(estimate.working_bytes), static_cast<long long>(kv),
      static_cast<long long>(after - before - kv));
  nt_context_free(context);
  nt_pool_free(pool);
  nt_model_free(model);
  nt_file_close(file);
}
