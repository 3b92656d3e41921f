#include "model/context.h"

#include <algorithm>

#include "model/forward.h"
#include "system.h"

namespace nt {
namespace {

// Of the memory that is free when a context is made, its KV cache may grow into this part; the rest is for the page
// cache that holds the weights, and for everyone else.
constexpr double kMemoryShare = 0.75;

// Tokens of a sequence, so that positions rounded up to whatever a kernel works on are still an int.
constexpr int kMaxContext = 1 << 30;

// Values of a head that share a scale in Q8_0, and the bytes that they take with it.
constexpr int kQ8Values = 32, kQ8Bytes = 34;

nt_cache_type checked_kv_type(const Config& c, int32_t type) {
  if (type != NT_CACHE_F16 && type != NT_CACHE_Q8_0) {
    throw Error(NT_INVALID_ARGUMENT,
                format("kv_type is %d; %d (F16) and %d (Q8_0) are possible", type, NT_CACHE_F16, NT_CACHE_Q8_0));
  }
  if (type == NT_CACHE_Q8_0 && c.head_dim % kQ8Values != 0) {
    throw Error(NT_UNSUPPORTED, format("a KV cache in Q8_0 is for heads of a multiple of %d values, and this model's "
                                       "have %d: use F16",
                                       kQ8Values, c.head_dim));
  }
  return static_cast<nt_cache_type>(type);
}

KvCache new_cache(const Config& c, const nt_context_params& p) {
  const int n_seq = p.n_seq_max == 0 ? 1 : p.n_seq_max;
  if (n_seq < 1 || n_seq > 4096)
    throw Error(NT_INVALID_ARGUMENT, format("n_seq_max is %d; 1 to 4096 is possible", n_seq));
  if (p.n_ctx < 0 || p.n_ctx > kMaxContext) {
    throw Error(NT_INVALID_ARGUMENT,
                format("n_ctx is %d; 0 (the model's own) to %d is possible", p.n_ctx, kMaxContext));
  }
  if (p.kv_capacity < 0) throw Error(NT_INVALID_ARGUMENT, "kv_capacity is negative");
  const int64_t available = available_memory(),
                token_bytes = kv_bytes_per_token(c, static_cast<nt_cache_type>(p.kv_type));
  const auto fits = static_cast<int64_t>(static_cast<double>(available) * kMemoryShare) / token_bytes;
  // At least one page, so that a first request fails with the allocation's own reason.
  const int64_t room = std::max<int64_t>(fits, KvCache::kPageTokens);
  const int64_t n_ctx = p.n_ctx != 0 ? p.n_ctx : std::min<int64_t>(c.n_ctx_train, room);
  if (p.kv_capacity == 0 && p.n_ctx > available / token_bytes) {
    throw Error(NT_OUT_OF_MEMORY,
                format("the KV cache of %d tokens takes %.0f bytes, and %lld are available; n_ctx %lld would fit",
                       p.n_ctx, static_cast<double>(token_bytes) * p.n_ctx, static_cast<long long>(available),
                       static_cast<long long>(fits)));
  }
  int64_t capacity = p.kv_capacity;
  if (capacity == 0) capacity = std::max(n_ctx, std::min(n_ctx * n_seq, room));
  return KvCache(n_seq, static_cast<int>(n_ctx), capacity);
}

// Of the batch's tokens from `first` on.
int count_wanted(const Batch& b, int first, int count, int what) {
  return static_cast<int>(std::count(b.want + first, b.want + first + count, static_cast<uint8_t>(what)));
}

// Makes room for rows of n values. A long prompt's memory is not kept for single tokens.
float* resize_rows(std::vector<float>* memory, int rows, int n) {
  const size_t values = static_cast<size_t>(rows) * static_cast<size_t>(n);
  if (values < memory->capacity() / 4) *memory = {};
  memory->resize(values);
  return memory->data();
}

}  // namespace

int64_t kv_bytes_per_token(const Config& c, nt_cache_type type) {
  const int64_t values = int64_t{2} * c.n_layer * c.kv_dim();
  return type == NT_CACHE_Q8_0 ? values / kQ8Values * kQ8Bytes : values * static_cast<int64_t>(sizeof(uint16_t));
}

Context::Context(const Model& model, cpu::ThreadPool& pool, const nt_context_params& params)
    : model_(model),
      pool_(pool),
      kv_type_(checked_kv_type(model.config, params.kv_type)),
      cache_(new_cache(model.config, params)),
      n_batch_(params.n_batch == 0 ? 512 : params.n_batch) {
  if (n_batch_ < 1 || n_batch_ > 65536) {
    throw Error(NT_INVALID_ARGUMENT, format("n_batch is %d; 1 to 65536 is possible", n_batch_));
  }
  ExecutorOptions options;
  options.n_batch = n_batch_;
  options.exact = params.exact != 0;
  options.kv_type = kv_type_;
  options.sgemm = params.sgemm;
  executor_ = best_backend().new_executor(model, pool, options);
}

void Context::check_seq(int seq) const {
  if (seq < 0 || seq >= cache_.n_seq()) {
    throw Error(NT_INVALID_ARGUMENT, format("sequence %d; the context has 0 to %d", seq, cache_.n_seq() - 1));
  }
}

void Context::check(const Batch& b, std::vector<int>* growth) const {
  if (b.n < 1) throw Error(NT_INVALID_ARGUMENT, format("a batch of %d tokens", b.n));
  growth->assign(static_cast<size_t>(cache_.n_seq()), 0);
  for (int i = 0; i < b.n; ++i) {
    if (b.tokens[i] < 0 || b.tokens[i] >= model_.config.n_vocab) {
      throw Error(NT_INVALID_ARGUMENT,
                  format("token %d is not in the vocabulary of %d", b.tokens[i], model_.config.n_vocab));
    }
    if (b.want[i] > NT_WANT_HIDDEN) {
      throw Error(NT_INVALID_ARGUMENT, format("want is %d for token %d of the batch; %d to %d is possible", b.want[i],
                                              i, NT_WANT_NOTHING, NT_WANT_HIDDEN));
    }
    check_seq(b.seqs[i]);
    int& grown = (*growth)[static_cast<size_t>(b.seqs[i])];
    const int64_t expected = int64_t{cache_.length(b.seqs[i])} + grown;
    if (b.positions[i] != expected) {
      throw Error(NT_INVALID_ARGUMENT, format("token %d of the batch has position %d; sequence %d continues at %lld", i,
                                              b.positions[i], b.seqs[i], static_cast<long long>(expected)));
    }
    ++grown;
  }
}

void Context::decode(const Batch& batch) {
  n_rows_ = n_hidden_rows_ = 0;
  std::vector<int> growth;
  check(batch, &growth);
  cache_.reserve(growth, *executor_);
  try {
    const int n_vocab = model_.config.n_vocab, n_embd = model_.config.n_embd;
    const int rows = count_wanted(batch, 0, batch.n, NT_WANT_LOGITS);
    const int hidden_rows = count_wanted(batch, 0, batch.n, NT_WANT_HIDDEN);
    float* logits = resize_rows(&logits_, rows, n_vocab);
    float* hidden = resize_rows(&hidden_, hidden_rows, n_embd);
    for (int first = 0; first < batch.n; first += n_batch_) {
      const int count = std::min(n_batch_, batch.n - first);
      pass(batch, first, count, logits, hidden);
      logits += int64_t{n_vocab} * count_wanted(batch, first, count, NT_WANT_LOGITS);
      hidden += int64_t{n_embd} * count_wanted(batch, first, count, NT_WANT_HIDDEN);
    }
    n_rows_ = rows;
    n_hidden_rows_ = hidden_rows;
  } catch (...) {
    cache_.release_unused(*executor_);
    throw;
  }
  cache_.commit(growth);
  n_decoded_ += batch.n;
}

KvLayout Context::layout() const {
  const Config& c = model_.config;
  return {kv_type_, c.n_layer, c.n_head_kv, c.head_dim, executor_->page_bytes()};
}

void Context::save(int seq, int first, int n, uint8_t* out) const {
  uint8_t* page = write_kv_block_header(layout(), first, n, out);
  for (int i = first; i < first + n; i += KvCache::kPageTokens, page += executor_->page_bytes()) {
    executor_->read_page(cache_.page_table(seq)[i / KvCache::kPageTokens],
                         std::min(first + n - i, KvCache::kPageTokens), page);
  }
}

void Context::load(int seq, const uint8_t* bytes, size_t n_bytes) {
  const KvBlock block = read_kv_block(layout(), bytes, n_bytes);
  if (block.first != cache_.length(seq)) {
    throw Error(NT_FORMAT, format("the block begins at token %d, and sequence %d continues at %d", block.first, seq,
                                  cache_.length(seq)));
  }
  std::vector<int> growth(static_cast<size_t>(cache_.n_seq()));
  growth[static_cast<size_t>(seq)] = block.n;
  cache_.reserve(growth, *executor_);
  const uint8_t* page = block.pages;
  for (int i = block.first; i < block.first + block.n; i += KvCache::kPageTokens, page += executor_->page_bytes()) {
    executor_->write_page(cache_.page_table(seq)[i / KvCache::kPageTokens], page);
  }
  cache_.commit(growth);
}

void Context::pass(const Batch& b, int first, int count, float* logits, float* hidden) {
  Step step;
  step.n_tokens = count;
  step.tokens = b.tokens + first;
  step.logits = logits;
  step.hidden = hidden;
  step.cancel = b.cancel;
  for (int i = 0; i < count; ++i) {
    const int t = first + i;
    if (i == 0 || b.seqs[t] != b.seqs[t - 1]) {
      step.runs.push_back({i, 0, b.positions[t], cache_.page_table(b.seqs[t])});
    }
    ++step.runs.back().count;
    if (b.want[t] == NT_WANT_LOGITS) step.outputs.push_back(i);
    if (b.want[t] == NT_WANT_HIDDEN) step.hidden_outputs.push_back(i);
  }
  if (!forward(*executor_, model_, step)) throw Error(NT_CANCELLED, "cancelled");
}

}  // namespace nt
