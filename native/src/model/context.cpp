#include "model/context.h"

#include <algorithm>

#include "model/forward.h"
#include "model/memory.h"

namespace nt {
namespace {

KvCache new_cache(const Model& model, const cpu::ThreadPool& pool, const nt_context_params& p) {
  const nt_memory_estimate m = estimate_memory(model, pool.size(), p, false);
  if (p.kv_capacity != 0) return KvCache(p.n_seq_max, m.n_ctx, p.kv_capacity);
  if (p.overcommit == 0) require_memory(m);
  const int64_t all = std::min<int64_t>(int64_t{m.n_ctx} * p.n_seq_max, m.max_n_ctx);
  return KvCache(p.n_seq_max, m.n_ctx, std::max<int64_t>(m.n_ctx, all));
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

Context::Context(const Model& model, cpu::ThreadPool& pool, const nt_context_params& params)
    : model_(model),
      pool_(pool),
      params_(checked_params(model.config, params)),
      cache_(new_cache(model, pool, params_)),
      executor_(best_backend().new_executor(model, pool, executor_options(params_))) {}

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
    for (int first = 0; first < batch.n; first += params_.n_batch) {
      const int count = std::min(params_.n_batch, batch.n - first);
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
  return {params_.kv_type, c.n_layer, c.n_head_kv, c.head_dim, executor_->page_bytes()};
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
