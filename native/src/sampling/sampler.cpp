#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "error.h"
#include "sampling/portable_math.h"
#include "sampling/sampling_params.h"

namespace nt {
namespace {

constexpr double kLn2 = 0.6931471805599453;

// The generator's streams, so that the choices of a step do not depend on each other.
enum class Stream : uint64_t { kToken = 0, kXtc = 1 };

// A number in [0, 1) from seed and counter: the output function of SplitMix64 (Steele, Lea, Flood; OOPSLA 2014), twice.
double uniform(const nt_sampling& p, Stream stream) {
  const auto mix = [](uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;
  const uint64_t bits = mix((mix(p.seed + kGolden) ^ static_cast<uint64_t>(stream)) + (p.counter + 1) * kGolden);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

void add_biases(const nt_sampling& p, int n_vocab, Candidates* candidates, SamplerMemory* memory) {
  if (p.n_biases == 0) return;
  std::vector<double>& biases = memory->doubles;
  biases.assign(static_cast<size_t>(n_vocab), 0);
  for (int i = 0; i < p.n_biases; ++i)
    biases[static_cast<size_t>(p.bias_tokens[i])] += static_cast<double>(p.biases[i]);
  // A token may be named twice: all that it gets comes the first time.
  candidates->change(p.bias_tokens, static_cast<size_t>(p.n_biases), [&](int32_t token, double logit) {
    return logit + std::exchange(biases[static_cast<size_t>(token)], 0);
  });
  if (candidates->size() == 0) throw Error(NT_INVALID_ARGUMENT, "the biases leave no token that is allowed");
}

// Logits within n standard deviations of the largest (Tang et al. 2024, "Top-nσ").
void top_n_sigma(const nt_sampling& p, Candidates* candidates) {
  const double max = candidates->max(), n = static_cast<double>(candidates->size());
  const double* logits = candidates->logits();
  const double mean = sum(candidates->size(), [=](size_t i) { return logits[i] - max; }) / n;
  const auto square = [=](size_t i) { return (logits[i] - max - mean) * (logits[i] - max - mean); };
  const double variance = sum(candidates->size(), square) / n;
  candidates->keep_from(max - static_cast<double>(p.top_n_sigma) * std::sqrt(variance));
}

// Locally typical sampling (Meister et al. 2022): a token's surprise less the entropy is its distance from the most
// probable one less the mean of that.
void typical(const nt_sampling& p, Candidates* candidates) {
  const double distance = candidates->mean_distance();
  candidates->keep_nearest(distance, static_cast<double>(p.typical_p) * candidates->total_weight());
}

// Nucleus sampling (Holtzman et al. 2019).
void top_p(const nt_sampling& p, Candidates* candidates) {
  candidates->keep_most_probable_weight(static_cast<double>(p.top_p) * candidates->total_weight());
}

// Min-p (Nguyen et al. 2024).
void min_p(const nt_sampling& p, Candidates* candidates) {
  candidates->keep_within(-portable_log(static_cast<double>(p.min_p)));
}

// XTC, "exclude top choices", as its author p-e-w describes it (text-generation-webui, pull request 6335).
void xtc(const nt_sampling& p, Candidates* candidates) {
  if (uniform(p, Stream::kXtc) >= static_cast<double>(p.xtc_probability)) return;
  const double threshold = static_cast<double>(p.xtc_threshold) * candidates->total_weight();
  const double* weights = candidates->weights();
  const size_t kept = candidates->last_of_weight(threshold);
  if (kept == candidates->size()) return;
  for (int i = 0; i < p.n_xtc_exempt; ++i) {
    const size_t at = candidates->find(p.xtc_exempt[i]);
    if (at < candidates->size() && at != kept && weights[at] >= threshold) return;
  }
  candidates->drop_more_probable(kept);
}

// Dynamic temperature by entropy (Zhu et al. 2024, "EDT", and kalomaze's of that name).
double temperature(const nt_sampling& p, Candidates* candidates) {
  const double t = static_cast<double>(p.temperature), range = static_cast<double>(p.temperature_range);
  if (range == 0 || candidates->size() < 2) return t;
  const double entropy = candidates->mean_distance() + candidates->log_total();
  const double part = std::clamp(entropy / portable_log(static_cast<double>(candidates->size())), 0.0, 1.0);
  const double low = std::max(0.0, t - range);
  return low + (t + range - low) * portable_pow(part, static_cast<double>(p.temperature_exponent));
}

void apply_temperature(const nt_sampling& p, Candidates* candidates) {
  const double t = temperature(p, candidates);
  if (t < kLeastTemperature) {
    candidates->keep_best();
  } else if (t != 1) {
    candidates->multiply(1 / t);
  }
}

// Mirostat 2 (Basu et al. 2020): tokens of no more than mu bits of surprise.
void mirostat(const nt_sampling& p, Candidates* candidates) {
  const double most = p.mirostat_mu * kLn2 - candidates->log_total();
  if (most < 0) {
    candidates->keep_best();
  } else {
    candidates->keep_within(most);
  }
}

double next_mu(const nt_sampling& p, Candidates* candidates, size_t drawn) {
  const double distance = candidates->max() - candidates->logit(drawn);
  const double surprise = (distance + candidates->log_total()) / kLn2;
  return p.mirostat_mu - static_cast<double>(p.mirostat_eta) * (surprise - static_cast<double>(p.mirostat_tau));
}

void apply(nt_stage stage, const nt_sampling& p, int n_vocab, SamplerMemory* memory) {
  Candidates* candidates = &memory->candidates;
  switch (stage) {
    case NT_STAGE_END:
      return;
    case NT_STAGE_PENALTIES:
      return memory->repetition.penalize(p, n_vocab, candidates);
    case NT_STAGE_DRY:
      return memory->repetition.dry(p, n_vocab, candidates);
    case NT_STAGE_TOP_N_SIGMA:
      return top_n_sigma(p, candidates);
    case NT_STAGE_TOP_K:
      return candidates->keep_most_probable(static_cast<size_t>(p.top_k));
    case NT_STAGE_TYPICAL:
      return typical(p, candidates);
    case NT_STAGE_TOP_P:
      return top_p(p, candidates);
    case NT_STAGE_MIN_P:
      return min_p(p, candidates);
    case NT_STAGE_XTC:
      return xtc(p, candidates);
    case NT_STAGE_TEMPERATURE:
      return apply_temperature(p, candidates);
  }
}

// Whether the most probable token is the result: no draw, and no stage that would change which one that is.
bool takes_best(const nt_sampling& p, const Stages& stages) {
  const auto active = [&](nt_stage stage) { return stages.has(stage); };
  return active(NT_STAGE_TEMPERATURE) && p.temperature == 0 && p.temperature_range == 0 && p.n_biases == 0 &&
         p.mirostat_tau == 0 && !active(NT_STAGE_PENALTIES) && !active(NT_STAGE_DRY) && !active(NT_STAGE_TYPICAL) &&
         !active(NT_STAGE_XTC);
}

Candidates& narrow_checked(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask,
                           const Stages& stages, SamplerMemory* memory) {
  Candidates& candidates = memory->candidates;
  candidates.load(logits, n_vocab, mask);
  add_biases(p, n_vocab, &candidates, memory);
  for (size_t i = 0; i < stages.size(); ++i) apply(stages[i], p, n_vocab, memory);
  if (p.mirostat_tau > 0) mirostat(p, &candidates);
  return candidates;
}

}  // namespace

Candidates& narrow(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask,
                   SamplerMemory* memory) {
  check(p, n_vocab);
  return narrow_checked(logits, n_vocab, p, mask, Stages(p), memory);
}

int32_t sample(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask, SamplerMemory* memory,
               double* mirostat_mu) {
  check(p, n_vocab);
  const Stages stages(p);
  *mirostat_mu = p.mirostat_mu;
  if (takes_best(p, stages)) {
    memory->candidates.load(logits, n_vocab, mask);
    return memory->candidates.id(memory->candidates.best());
  }
  Candidates& candidates = narrow_checked(logits, n_vocab, p, mask, stages, memory);
  const size_t drawn = candidates.at(uniform(p, Stream::kToken));
  if (p.mirostat_tau > 0) *mirostat_mu = next_mu(p, &candidates, drawn);
  return candidates.id(drawn);
}

double log_sum_exp(const float* logits, int n_vocab, SamplerMemory* memory) {
  memory->candidates.load(logits, n_vocab, nullptr);
  return memory->candidates.max() + memory->candidates.log_total();
}

void top_k(const float* logits, int n_vocab, int k, SamplerMemory* memory, std::vector<int32_t>* order) {
  Candidates& candidates = memory->candidates;
  candidates.load(logits, n_vocab, nullptr);
  candidates.keep_most_probable(static_cast<size_t>(k));
  order->resize(candidates.size());
  for (size_t i = 0; i < order->size(); ++i) (*order)[i] = candidates.id(i);
  std::stable_sort(order->begin(), order->end(), [logits](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  for (int32_t t = 0; t < n_vocab && order->size() < static_cast<size_t>(k); ++t) {
    if (logits[t] == -HUGE_VALF) order->push_back(t);
  }
}

}  // namespace nt
