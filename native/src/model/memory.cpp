#include "model/memory.h"

#include <algorithm>

#include "model/kv_cache.h"
#include "sampling/sampler.h"
#include "system.h"

namespace nt {
namespace {

// Of the memory that is free when a context is made, its KV cache may grow into this part where the caller leaves its
// size open; the rest is for the page cache that holds the weights, and for everyone else.
constexpr double kMemoryShare = 0.75;

// Tokens of a sequence, so that positions rounded up to whatever a kernel works on are still an int.
constexpr int kMaxContext = 1 << 30;

// Values of a head that share a scale in Q8_0.
constexpr int kQ8Values = 32;

int64_t pages_for(int64_t n_tokens) { return (n_tokens + KvCache::kPageTokens - 1) / KvCache::kPageTokens; }

double gibibytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

}  // namespace

nt_context_params checked_params(const Config& c, nt_context_params p) {
  if (p.kv_type != NT_CACHE_F16 && p.kv_type != NT_CACHE_Q8_0) {
    throw Error(NT_INVALID_ARGUMENT,
                format("kv_type is %d; %d (F16) and %d (Q8_0) are possible", p.kv_type, NT_CACHE_F16, NT_CACHE_Q8_0));
  }
  if (p.kv_type == NT_CACHE_Q8_0 && c.head_dim % kQ8Values != 0) {
    throw Error(NT_UNSUPPORTED, format("a KV cache in Q8_0 is for heads of a multiple of %d values, and this model's "
                                       "have %d: use F16",
                                       kQ8Values, c.head_dim));
  }
  if (p.n_seq_max == 0) p.n_seq_max = 1;
  if (p.n_seq_max < 1 || p.n_seq_max > 4096)
    throw Error(NT_INVALID_ARGUMENT, format("n_seq_max is %d; 1 to 4096 is possible", p.n_seq_max));
  if (p.n_ctx < 0 || p.n_ctx > kMaxContext) {
    throw Error(NT_INVALID_ARGUMENT,
                format("n_ctx is %d; 0 (the model's own) to %d is possible", p.n_ctx, kMaxContext));
  }
  if (p.kv_capacity < 0) throw Error(NT_INVALID_ARGUMENT, "kv_capacity is negative");
  if (p.n_batch == 0) p.n_batch = 512;
  if (p.n_batch < 1 || p.n_batch > 65536) {
    throw Error(NT_INVALID_ARGUMENT, format("n_batch is %d; 1 to 65536 is possible", p.n_batch));
  }
  return p;
}

ExecutorOptions executor_options(const nt_context_params& p) {
  ExecutorOptions options;
  options.n_batch = p.n_batch;
  options.exact = p.exact != 0;
  options.kv_type = static_cast<nt_cache_type>(p.kv_type);
  options.sgemm = p.sgemm;
  return options;
}

nt_memory_estimate estimate_memory(const Model& model, int n_threads, const nt_context_params& p, bool copy) {
  const Backend& backend = best_backend();
  const ExecutorOptions options = executor_options(p);
  const auto page_bytes = static_cast<int64_t>(backend.page_bytes(model.config, options.kv_type));
  const auto kv = [&](int n_ctx) { return pages_for(n_ctx) * page_bytes; };
  const auto working = [&](int n_ctx) {
    return static_cast<int64_t>(backend.working_bytes(model, n_threads, options, n_ctx)) +
           sampling_bytes(model.config.n_vocab);
  };
  const auto tokens_in = [&](int64_t room) {
    int fit = 0, too_many = kMaxContext / KvCache::kPageTokens + 1;  // pages
    while (too_many - fit > 1) {
      const int middle = fit + (too_many - fit) / 2, n_ctx = middle * KvCache::kPageTokens;
      (kv(n_ctx) + working(n_ctx) <= room ? fit : too_many) = middle;
    }
    return fit * KvCache::kPageTokens;
  };

  nt_memory_estimate m{};
  m.weight_bytes = model.weight_bytes;
  m.available_bytes = available_memory();
  m.physical_bytes = physical_memory();
  // Room for all but the weights: in what is available, and beside the weights in all that there is.
  const int64_t copied = copy ? m.weight_bytes : 0;
  const int64_t beside_weights = m.physical_bytes - m.weight_bytes;
  const int64_t shared = static_cast<int64_t>(static_cast<double>(m.available_bytes) * kMemoryShare) - copied;
  m.max_n_ctx = tokens_in(std::min(shared, beside_weights));
  m.n_ctx = p.n_ctx;
  if (p.n_ctx == 0) {
    const int room = p.overcommit != 0 ? tokens_in(shared) : m.max_n_ctx;
    m.n_ctx = std::min(model.config.n_ctx_train, std::max(room, KvCache::kPageTokens));
  }
  m.kv_bytes = kv(m.n_ctx);
  m.working_bytes = working(m.n_ctx);
  m.fits = m.kv_bytes + m.working_bytes <= std::min(m.available_bytes - copied, beside_weights) ? 1 : 0;
  return m;
}

void require_memory(const nt_memory_estimate& m) {
  if (m.fits != 0) return;
  const std::string advice = m.max_n_ctx > 0 ? format("n_ctx %d would fit", m.max_n_ctx) : "no n_ctx would fit";
  throw Error(NT_OUT_OF_MEMORY,
              format("a context of %d tokens takes %.3f GiB of keys and values and %.3f GiB of working memory beside "
                     "%.3f GiB of weights, and of %.3f GiB of memory %.3f are available; %s",
                     m.n_ctx, gibibytes(m.kv_bytes), gibibytes(m.working_bytes), gibibytes(m.weight_bytes),
                     gibibytes(m.physical_bytes), gibibytes(m.available_bytes), advice.c_str()));
}

}  // namespace nt
