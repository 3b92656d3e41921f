// Sequences of one model: their KV cache, and decoding into it.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/thread_pool.h"
#include "model/kv_block.h"
#include "model/kv_cache.h"

namespace nt {

// What an nt_decode asks for; see nautil.h.
struct Batch {
  int n;
  const int32_t* tokens;
  const int32_t* seqs;
  const int32_t* positions;
  const uint8_t* want;
  const int32_t* cancel;
};

class Context {
 public:
  Context(const Model& model, cpu::ThreadPool& pool, const nt_context_params& params);

  void decode(const Batch& batch);

  void truncate(int seq, int n) { cache_.truncate(seq, n, *executor_); }

  // Blocks of saved tokens; see nt_seq_save and nt_seq_load.
  KvLayout layout() const;
  void save(int seq, int first, int n, uint8_t* out) const;
  void load(int seq, const uint8_t* block, size_t bytes);

  const Model& model() const { return model_; }
  cpu::ThreadPool& pool() const { return pool_; }
  KvCache& cache() { return cache_; }
  const KvCache& cache() const { return cache_; }
  int n_batch() const { return params_.n_batch; }
  const Profile& profile() const { return executor_->profile(); }
  int64_t n_decoded() const { return n_decoded_; }
  int32_t kv_type() const { return params_.kv_type; }
  size_t page_bytes() const { return executor_->page_bytes(); }

  int n_rows() const { return n_rows_; }
  const float* logits(int row) const {
    return logits_.data() + static_cast<size_t>(row) * static_cast<size_t>(model_.config.n_vocab);
  }

  // Rows of logits apart.
  int n_hidden_rows() const { return n_hidden_rows_; }
  const float* hidden(int row) const {
    return hidden_.data() + static_cast<size_t>(row) * static_cast<size_t>(model_.config.n_embd);
  }

  // Throws Error(NT_INVALID_ARGUMENT) unless seq is in [0, n_seq).
  void check_seq(int seq) const;

 private:
  void check(const Batch& batch, std::vector<int>* growth) const;
  void pass(const Batch& batch, int first, int count, float* logits, float* hidden);

  const Model& model_;
  cpu::ThreadPool& pool_;
  const nt_context_params params_;  // checked
  KvCache cache_;
  std::unique_ptr<Executor> executor_;
  std::vector<float> logits_;  // (n_rows, n_vocab) of the last decode
  std::vector<float> hidden_;  // (n_hidden_rows, n_embd) of the last decode
  int n_rows_ = 0, n_hidden_rows_ = 0;
  int64_t n_decoded_ = 0;
};

}  // namespace nt
