// What sampling's speed is measured by: rows of 131,072 logits, each sampler alone, and chains.
#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

#include "sampling/sampler.h"

namespace bench {

constexpr int kVocab = 131072;
constexpr double kLimit = 1;  // ms a row

// Sums of 12 uniform numbers: nearly normal.
inline std::vector<float> normal_logits(float deviation) {
  std::vector<float> logits(kVocab);
  uint64_t state = 1;
  for (float& l : logits) {
    l = -6;
    for (int i = 0; i < 12; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      l += static_cast<float>(state >> 40) * 0x1p-24f;
    }
    l *= deviation;
  }
  return logits;
}

struct Case {
  const char* name;
  void (*set)(nt_sampling*);
  double bound = kLimit;  // of the test, in ms: a chain, of which nothing is promised, may take longer
};

constexpr double kChainBound = 2 * kLimit;

inline std::vector<int32_t> multiples(int n, uint32_t factor, uint32_t below) {
  std::vector<int32_t> v(static_cast<size_t>(n));
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<int32_t>(static_cast<uint32_t>(i) * factor % below);
  return v;
}

inline const std::vector<int32_t> kHistory = multiples(kVocab, 2654435761u, 1000),
                                  kAlike(kVocab, 7), kBiasTokens = multiples(1000, 131, kVocab);
inline const std::vector<float> kBiases(1000, 0.5f);

inline const Case kCases[] = {
    {"draw at temperature 1", [](nt_sampling*) {}},
    {"temperature 0", [](nt_sampling* p) { p->temperature = 0; }},
    {"temperature 0.7", [](nt_sampling* p) { p->temperature = 0.7f; }},
    {"dynamic temperature", [](nt_sampling* p) { p->temperature_range = 0.5f; }},
    {"top-k 40", [](nt_sampling* p) { p->top_k = 40; }},
    {"top-p 0.95", [](nt_sampling* p) { p->top_p = 0.95f; }},
    {"min-p 0.05", [](nt_sampling* p) { p->min_p = 0.05f; }},
    {"typical 0.9", [](nt_sampling* p) { p->typical_p = 0.9f; }},
    {"top-n-sigma 1", [](nt_sampling* p) { p->top_n_sigma = 1; }},
    {"XTC", [](nt_sampling* p) { p->xtc_probability = 1; }},
    {"XTC, most above its threshold",
     [](nt_sampling* p) {
       p->xtc_probability = 1;
       p->xtc_threshold = 7e-6f;
     }},
    {"penalties, 131072 tokens",
     [](nt_sampling* p) {
       p->penalty_last_n = -1;
       p->repeat_penalty = 1.1f;
       p->frequency_penalty = 0.1f;
       p->presence_penalty = 0.1f;
     }},
    {"penalties, 64 tokens",
     [](nt_sampling* p) {
       p->penalty_last_n = 64;
       p->repeat_penalty = 1.1f;
     }},
    {"DRY, 131072 tokens",
     [](nt_sampling* p) {
       p->dry_last_n = -1;
       p->dry_multiplier = 0.8f;
     }},
    {"DRY, the last 131072 tokens alike",
     [](nt_sampling* p) {
       p->history = kAlike.data();
       p->dry_last_n = -1;
       p->dry_multiplier = 0.8f;
     }},
    {"mirostat", [](nt_sampling* p) { p->mirostat_tau = 5, p->mirostat_mu = 10; }},
    {"mirostat that keeps most", [](nt_sampling* p) { p->mirostat_tau = 16, p->mirostat_mu = 17; }},
    {"1000 biases",
     [](nt_sampling* p) {
       p->bias_tokens = kBiasTokens.data();
       p->biases = kBiases.data();
       p->n_biases = static_cast<int32_t>(kBiases.size());
     }},
    {"top-k, top-p, min-p, temperature",
     [](nt_sampling* p) {
       p->temperature = 0.7f;
       p->top_k = 40;
       p->top_p = 0.95f;
       p->min_p = 0.05f;
     },
     kChainBound},
    {"top-p, temperature",
     [](nt_sampling* p) {
       p->temperature = 0.7f;
       p->top_p = 0.95f;
     },
     kChainBound},
    {"all in the default order",
     [](nt_sampling* p) {
       p->penalty_last_n = -1;
       p->repeat_penalty = 1.1f;
       p->dry_last_n = -1;
       p->dry_multiplier = 0.8f;
       p->top_n_sigma = 2;
       p->top_k = 1000;
       p->typical_p = 0.95f;
       p->top_p = 0.95f;
       p->min_p = 0.01f;
       p->xtc_probability = 0.5f;
       p->temperature = 0.7f;
       p->temperature_range = 0.3f;
     },
     kChainBound},
};

// Like a model's; flat, where nothing falls away early; and equal.
inline const std::vector<float> kRows[] = {normal_logits(3), normal_logits(0.1f), std::vector<float>(kVocab, 1)};

// Of every two tokens one.
inline const std::vector<uint64_t> kHalf(kVocab / 64, 0x5555555555555555u);

// In this process's CPU time, of one thread, the best of so many runs.
inline double best_milliseconds(const Case& c, const std::vector<float>& logits, const uint64_t* mask, int runs) {
  static nt::SamplerMemory memory;
  nt_sampling p;
  nt_sampling_init(&p);
  p.history = kHistory.data();
  p.n_history = kVocab;
  c.set(&p);
  double best = 1e9, mu = 0;
  for (int i = 0; i < runs; ++i) {
    p.counter = static_cast<uint64_t>(i);
    const std::clock_t start = std::clock();
    nt::sample(logits.data(), kVocab, p, mask, &memory, &mu);
    best = std::min(best, static_cast<double>(std::clock() - start) * 1e3 / CLOCKS_PER_SEC);
  }
  return best;
}

}  // namespace bench
