#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "error.h"

namespace nt {
namespace {

bool allowed(const uint64_t* mask, int token) { return mask == nullptr || (mask[token / 64] >> (token % 64) & 1) != 0; }

// More probable, then lower id: a total order, so that no result depends on how a sort is implemented.
struct MoreProbable {
  const float* logits;
  bool operator()(int32_t a, int32_t b) const { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; }
};

void check(const nt_sampling& p) {
  if (!(p.temperature >= 0) || !std::isfinite(p.temperature)) {
    throw Error(NT_INVALID_ARGUMENT,
                format("temperature is %g; it must be 0 or more", static_cast<double>(p.temperature)));
  }
  if (p.top_k < 0) throw Error(NT_INVALID_ARGUMENT, format("top_k is %d; it must be 0 (off) or more", p.top_k));
  if (!(p.top_p > 0 && p.top_p <= 1)) {
    throw Error(NT_INVALID_ARGUMENT,
                format("top_p is %g; it must be above 0 and at most 1", static_cast<double>(p.top_p)));
  }
  if (!(p.min_p >= 0 && p.min_p <= 1)) {
    throw Error(NT_INVALID_ARGUMENT, format("min_p is %g; it must be from 0 to 1", static_cast<double>(p.min_p)));
  }
}

// The most probable token that is allowed.
int32_t argmax(const float* logits, int n_vocab, const uint64_t* mask) {
  int32_t best = -1;
  for (int32_t t = 0; t < n_vocab; ++t) {
    if (!allowed(mask, t)) continue;
    if (std::isnan(logits[t])) throw Error(NT_INTERNAL, format("the logit of token %d is not a number", t));
    if (best < 0 || logits[t] > logits[best]) best = t;
  }
  if (best < 0) throw Error(NT_INVALID_ARGUMENT, "the mask allows no token");
  if (!std::isfinite(logits[best])) {
    throw Error(NT_INTERNAL, format("the largest logit is %g (token %d)", static_cast<double>(logits[best]), best));
  }
  return best;
}

// A number in [0, 1) from seed and counter: the output function of SplitMix64 (Steele, Lea, Flood; OOPSLA 2014), twice.
double uniform(uint64_t seed, uint64_t counter) {
  const auto mix = [](uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;
  const uint64_t bits = mix(mix(seed + kGolden) + (counter + 1) * kGolden);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Sorts the first n of order, most probable first; the rest follow in any order.
void sort_first(std::vector<int32_t>* order, size_t n, MoreProbable more) {
  if (n < order->size())
    std::nth_element(order->begin(), order->begin() + static_cast<ptrdiff_t>(n), order->end(), more);
  std::sort(order->begin(), order->begin() + static_cast<ptrdiff_t>(std::min(n, order->size())), more);
}

// How many of the most probable tokens reach top_p of the probability of all in order, which is sorted either wholly or
// by id; afterwards as far as the result.
size_t nucleus(std::vector<int32_t>* order, bool sorted, float top_p, const float* logits, double max) {
  double all = 0;
  for (int32_t t : *order) all += portable_exp(logits[t] - max);
  const double wanted = all * static_cast<double>(top_p);
  for (size_t n = 256;; n *= 8) {
    n = std::min(n, order->size());
    if (!sorted) sort_first(order, n, {logits});
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      sum += portable_exp(logits[(*order)[i]] - max);
      if (sum >= wanted) return i + 1;
    }
    if (n == order->size()) return n;
  }
}

}  // namespace

double portable_exp(double x) {
  if (x != x) return x;
  if (x > 709) return HUGE_VAL;
  if (x < -745) return 0;
  // x = k·ln 2 + r, |r| ≤ ln 2 / 2, with ln 2 in two parts so that k·kHigh is exact.
  constexpr double kHigh = 0x1.62e42fefa3800p-1, kLow = 0x1.ef35793c76730p-45;
  const double k = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - k * kHigh) - k * kLow;
  // Taylor: the first term left out is below 2⁻⁵⁷.
  constexpr double kInverseFactorial[] = {
      1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  double e = 0;
  for (int i = 13; i >= 0; --i) e = e * r + kInverseFactorial[i];
  return std::ldexp(e, static_cast<int>(k));
}

double log_sum_exp(const float* logits, int n_vocab) {
  const double max = static_cast<double>(logits[argmax(logits, n_vocab, nullptr)]);
  double sum = 0;
  for (int i = 0; i < n_vocab; ++i) sum += std::exp(static_cast<double>(logits[i]) - max);
  return max + std::log(sum);
}

void top_k(const float* logits, int n_vocab, int k, std::vector<int32_t>* order) {
  argmax(logits, n_vocab, nullptr);  // refuses what has no order
  order->resize(static_cast<size_t>(n_vocab));
  std::iota(order->begin(), order->end(), 0);
  sort_first(order, static_cast<size_t>(k), {logits});
  order->resize(static_cast<size_t>(std::min(k, n_vocab)));
}

int32_t sample(const float* logits, int n_vocab, const nt_sampling& p, const uint64_t* mask, SamplerMemory* memory) {
  check(p);
  const int32_t best = argmax(logits, n_vocab, mask);
  if (p.temperature == 0) return best;
  const double max = static_cast<double>(logits[best]);

  std::vector<int32_t>& order = memory->order;
  order.clear();
  for (int32_t t = 0; t < n_vocab; ++t) {
    if (allowed(mask, t)) order.push_back(t);
  }
  bool sorted = false;
  if (p.top_k > 0 && static_cast<size_t>(p.top_k) < order.size()) {
    sort_first(&order, static_cast<size_t>(p.top_k), {logits});
    order.resize(static_cast<size_t>(p.top_k));
    sorted = true;
  }
  if (p.top_p < 1) order.resize(nucleus(&order, sorted, p.top_p, logits, max));
  if (p.min_p > 0) {
    // exp(logit − max) is the probability over that of the best.
    const auto improbable = [&](int32_t t) { return portable_exp(logits[t] - max) < static_cast<double>(p.min_p); };
    order.erase(std::remove_if(order.begin(), order.end(), improbable), order.end());
  }

  std::vector<double>& weights = memory->weights;
  weights.clear();
  double all = 0;
  for (int32_t t : order) {
    all += portable_exp((logits[t] - max) / static_cast<double>(p.temperature));
    weights.push_back(all);
  }
  const double drawn = uniform(p.seed, p.counter) * all;
  const auto at = std::upper_bound(weights.begin(), weights.end(), drawn);
  return order[static_cast<size_t>(
      std::min<ptrdiff_t>(at - weights.begin(), static_cast<ptrdiff_t>(order.size()) - 1))];
}

}  // namespace nt
