// Choosing a token from one row of logits: stages that narrow the choice, and a draw. Doubles in a fixed order: the
// same logits and seed give the same token on every platform.
#pragma once

#include <cstdint>
#include <vector>

#include "nautil.h"
#include "sampling/candidates.h"
#include "sampling/repetition.h"

namespace nt {

// Working memory, so that a step allocates nothing once it is warm. Used by one thread at a time.
struct SamplerMemory {
  Candidates candidates;
  Repetition repetition;
  std::vector<double> doubles;

  // A call's results, until all are there.
  std::vector<int32_t> tokens;
  std::vector<double> mirostat_mu;
};

// What sampling from a row keeps in memory at most, but for what the history and the biases take: of each token its
// id, logit, weight, bucket and a double (biases).
inline int64_t sampling_bytes(int n_vocab) { return int64_t{n_vocab} * (2 * sizeof(int32_t) + 3 * sizeof(double)); }

// The tokens that can be drawn, and with what weights: all that `sample` does but for the draw. In memory until the
// next call. Throws like `sample`.
Candidates& narrow(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask, SamplerMemory* memory);

// mask: bit t allows token t; null allows all. mirostat_mu, not null: what p.mirostat_mu becomes. Throws
// Error(NT_INVALID_ARGUMENT) for parameters out of range or where nothing is left to draw, Error(NT_INTERNAL) for
// logits that are not numbers.
int32_t sample(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask, SamplerMemory* memory,
               double* mirostat_mu);

// ln Σ exp(logit): a token's log-probability is its logit less this. Throws Error(NT_INTERNAL) like sample().
double log_sum_exp(const float* logits, int n_vocab, SamplerMemory* memory);

// The k most probable tokens, most probable first, lower id first among equals; −infinities are the last. Throws
// Error(NT_INTERNAL) like sample().
void top_k(const float* logits, int n_vocab, int k, SamplerMemory* memory, std::vector<int32_t>* order);

}  // namespace nt
