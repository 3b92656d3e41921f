// What a backend is: the stages of a forward pass over memory of its own.
//
// model/forward.cpp calls the stages in order; a backend may run each at once (the CPU) or record them and run all in
// finish() (a GPU). The residual stream, the queries, the KV pages and the page tables live in the backend's memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backend/profile.h"
#include "model/weights.h"

namespace nt::cpu {
class ThreadPool;
}

namespace nt {

// Consecutive tokens of one sequence in a pass.
struct Run {
  int first;  // index of the first token in the pass
  int count;
  int position;               // of the first token in its sequence
  const int32_t* page_table;  // page ids of the sequence, enough for position + count tokens
};

// One pass over the weights.
struct Step {
  int n_tokens = 0;
  const int32_t* tokens = nullptr;                 // (n_tokens)
  std::vector<Run> runs;                           // all tokens, in order
  std::vector<int32_t> outputs;                    // indices of the tokens whose logits are wanted, ascending
  float* logits = nullptr;                         // host memory, (outputs, n_vocab)
  std::vector<int32_t> hidden_outputs;             // indices of the tokens whose hidden states are wanted, ascending
  float* hidden = nullptr;                         // host memory, (hidden_outputs, n_embd)
  const int32_t* cancel = nullptr;                 // stages return early once it is not 0; may be null
  mutable std::atomic<bool> was_cancelled{false};  // what cancelled() once saw stays so: some of the work is not done
};

struct ExecutorOptions {
  int n_batch = 512;   // tokens in a pass at most
  bool exact = false;  // activations are not quantised
  nt_cache_type kv_type = NT_CACHE_F16;
  void* sgemm = nullptr;  // cblas_sgemm, for float weights; may be null
};

class Executor {
 public:
  virtual ~Executor() = default;

  // Makes the KV page with this id usable. Throws Error(NT_OUT_OF_MEMORY).
  virtual void allocate_page(int32_t page) = 0;
  virtual void release_page(int32_t page) noexcept = 0;  // its memory goes back to the system
  virtual void copy_page(int32_t from, int32_t to) = 0;

  // Pages in the host's memory, in the layout of CPU pages: kernels.h.
  virtual size_t page_bytes() const = 0;
  virtual void read_page(int32_t page, int n_tokens, uint8_t* out) const = 0;  // zeroes where later tokens would be
  virtual void write_page(int32_t page, const uint8_t* bytes) = 0;

  // The stages of a pass. x is the residual stream, (n_tokens, n_embd).
  virtual void begin(const Step& step) = 0;
  virtual void gather(const Tensor& embedding) = 0;                   // x = embedding[tokens]
  virtual void qkv(const Layer& layer, int index) = 0;                // norm, q k v, rope, store k and v
  virtual void attention(int index) = 0;                              // over the layer's KV pages
  virtual void attention_output(const Tensor& wo) = 0;                // x += wo · attention
  virtual void feed_forward(const Layer& layer) = 0;                  // norm, silu(gate) · up
  virtual void feed_forward_output(const Tensor& down) = 0;           // x += down · it
  virtual void logits(const Tensor& norm, const Tensor& output) = 0;  // of the tokens in step.outputs
  virtual void hidden(const Tensor& norm) = 0;                        // of the tokens in step.hidden_outputs
  virtual void finish() = 0;                                          // all is done when it returns

  // Of all passes so far.
  const Profile& profile() const { return profile_; }

 protected:
  Profile profile_;
};

// A kind of device. Listed in registry.cpp, best first.
struct Backend {
  const char* name;
  const char* (*unavailable)();  // null, or a sentence that says why this machine does not have it

  // What an executor will allocate: for a page, and at most for passes over n_ctx tokens of one sequence, of which one
  // wants its logits. The model may be of a header alone.
  size_t (*page_bytes)(const Config& config, nt_cache_type kv_type);
  size_t (*working_bytes)(const Model& model, int n_threads, const ExecutorOptions& options, int n_ctx);
  std::unique_ptr<Executor> (*new_executor)(const Model& model, cpu::ThreadPool& pool, const ExecutorOptions& options);
};

// The best backend that this machine has.
const Backend& best_backend();

}  // namespace nt
