// Choosing a token from one row of logits. Plain C++ doubles in a fixed order: the same logits and seed give the same
// token on every platform.
#pragma once

#include <cstdint>
#include <vector>

#include "nautil.h"

namespace nt {

// Working memory, so that a step allocates nothing once it is warm. Used by one thread at a time.
struct SamplerMemory {
  std::vector<int32_t> order;
  std::vector<double> weights;
  std::vector<int32_t> chosen;  // a call's results, until all are there
};

// mask: bit t allows token t; null allows all. Throws Error(NT_INVALID_ARGUMENT) for parameters out of range or a mask
// that allows nothing, Error(NT_INTERNAL) for logits that are not numbers.
int32_t sample(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask, SamplerMemory* memory);

// ln Σ exp(logit): a token's log-probability is its logit less this. Throws Error(NT_INTERNAL) like sample().
double log_sum_exp(const float* logits, int n_vocab);

// The k most probable tokens, most probable first, lower id first among equals. Throws Error(NT_INTERNAL) like
// sample().
void top_k(const float* logits, int n_vocab, int k, std::vector<int32_t>* order);

// eˣ to within 2 ulp, from additions and multiplications alone, so that no two platforms differ.
double portable_exp(double x);

}  // namespace nt
