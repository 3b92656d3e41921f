// The sampler against the plain definition of each step, and against the statistics of its draws.
#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "check.h"

namespace {

nt_sampling with(float temperature, int top_k = 0, float top_p = 1, float min_p = 0) {
  nt_sampling p{};
  p.temperature = temperature;
  p.top_k = top_k;
  p.top_p = top_p;
  p.min_p = min_p;
  p.seed = 42;
  return p;
}

std::vector<float> random_logits(int n, unsigned seed, float scale = 3) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> logits(static_cast<size_t>(n));
  for (float& l : logits) l = normal(random);
  return logits;
}

// Probabilities after each step, by the definitions, in long double.
std::vector<long double> reference(const std::vector<float>& logits, const nt_sampling& p) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)]; });
  const auto logit = [&](int t) { return static_cast<long double>(logits[static_cast<size_t>(t)]); };
  const long double max = logit(order[0]);
  if (p.top_k > 0 && static_cast<size_t>(p.top_k) < order.size()) order.resize(static_cast<size_t>(p.top_k));
  if (p.top_p < 1) {
    long double all = 0, sum = 0;
    for (int t : order) all += std::exp(logit(t) - max);
    size_t n = 0;
    while (n < order.size() && sum < all * static_cast<long double>(p.top_p)) sum += std::exp(logit(order[n++]) - max);
    order.resize(n);
  }
  std::vector<long double> probabilities(logits.size());
  long double all = 0;
  for (int t : order) {
    if (std::exp(logit(t) - max) < static_cast<long double>(p.min_p)) continue;
    all += probabilities[static_cast<size_t>(t)] = std::exp((logit(t) - max) / static_cast<long double>(p.temperature));
  }
  for (long double& x : probabilities) x /= all;
  return probabilities;
}

// χ² of the draws against the reference; tokens of probability 0 must not be drawn at all.
void check_distribution(const std::vector<float>& logits, nt_sampling p) {
  constexpr int kDraws = test::kEmulated ? 2000 : 20000;
  nt::SamplerMemory memory;
  const auto expected = reference(logits, p);
  std::vector<int> drawn(logits.size());
  for (int i = 0; i < kDraws; ++i) {
    p.counter = static_cast<uint64_t>(i);
    ++drawn[static_cast<size_t>(nt::sample(logits.data(), static_cast<int>(logits.size()), p, nullptr, &memory))];
  }
  double chi2 = 0, rest_expected = 0, rest_drawn = 0;
  int cells = -1;
  for (size_t t = 0; t < logits.size(); ++t) {
    const double e = static_cast<double>(expected[t]) * kDraws;
    if (e == 0) CHECK_EQ(drawn[t], 0);
    if (e < 10) {  // too few for the normal approximation: pooled
      rest_expected += e;
      rest_drawn += drawn[t];
    } else {
      chi2 += (drawn[t] - e) * (drawn[t] - e) / e;
      ++cells;
    }
  }
  if (rest_expected >= 10) {
    chi2 += (rest_drawn - rest_expected) * (rest_drawn - rest_expected) / rest_expected;
    ++cells;
  }
  // Mean and standard deviation of χ² with `cells` degrees of freedom; 5 of them is one chance in about a million.
  CHECK(cells < 1 || chi2 < cells + 5 * std::sqrt(2.0 * cells));
}

void exp_is_exact_enough() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-740, 709);
  for (int i = 0; i < (test::kEmulated ? 20000 : 200000); ++i) {
    const double x = i % 2 != 0 ? uniform(random) : uniform(random) / 100;
    const double e = std::exp(x);
    if (e < 1e-300) continue;
    CHECK(std::fabs(nt::portable_exp(x) - e) <= 4.5e-16 * e);
  }
  CHECK_EQ(nt::portable_exp(0), 1.0);
  CHECK_EQ(nt::portable_exp(-INFINITY), 0.0);
  CHECK_EQ(nt::portable_exp(INFINITY), HUGE_VAL);
}

void greedy_takes_the_lowest_of_equals() {
  nt::SamplerMemory memory;
  std::vector<float> logits = {1, 7, 3, 7, -INFINITY};
  CHECK_EQ(nt::sample(logits.data(), 5, with(0), nullptr, &memory), 1);
  const uint64_t mask = 0b11101;
  CHECK_EQ(nt::sample(logits.data(), 5, with(0), &mask, &memory), 3);
  CHECK_EQ(nt::sample(logits.data(), 5, with(1, 1), &mask, &memory), 3);
}

void refuses() {
  nt::SamplerMemory memory;
  std::vector<float> logits = random_logits(100, 1);
  const auto draw = [&](const nt_sampling& p, const uint64_t* mask = nullptr) {
    return nt::sample(logits.data(), 100, p, mask, &memory);
  };
  CHECK_THROWS(draw(with(-1)), NT_INVALID_ARGUMENT, "temperature");
  CHECK_THROWS(draw(with(NAN)), NT_INVALID_ARGUMENT, "temperature");
  CHECK_THROWS(draw(with(1, -1)), NT_INVALID_ARGUMENT, "top_k");
  CHECK_THROWS(draw(with(1, 0, 0)), NT_INVALID_ARGUMENT, "top_p");
  CHECK_THROWS(draw(with(1, 0, 1.5f)), NT_INVALID_ARGUMENT, "top_p");
  CHECK_THROWS(draw(with(1, 0, 1, 2)), NT_INVALID_ARGUMENT, "min_p");
  const uint64_t none[2] = {0, 0};
  CHECK_THROWS(draw(with(1), none), NT_INVALID_ARGUMENT, "allows no token");
  logits[50] = NAN;
  CHECK_THROWS(draw(with(1)), NT_INTERNAL, "token 50");
  const uint64_t without[2] = {~(uint64_t{1} << 50), ~uint64_t{0}};
  CHECK(draw(with(1), without) != 50);
}

void log_probabilities() {
  const std::vector<float> logits = random_logits(1000, 9);
  long double sum = 0;
  for (float l : logits) sum += std::exp(static_cast<long double>(l));
  CHECK(std::fabs(nt::log_sum_exp(logits.data(), 1000) - static_cast<double>(std::log(sum))) < 1e-12);
  std::vector<int32_t> top;
  nt::top_k(logits.data(), 1000, 10, &top);
  CHECK_EQ(top.size(), size_t{10});
  for (size_t i = 1; i < 10; ++i) CHECK(logits[static_cast<size_t>(top[i - 1])] >= logits[static_cast<size_t>(top[i])]);
  CHECK_EQ(
      std::count_if(logits.begin(), logits.end(), [&](float l) { return l > logits[static_cast<size_t>(top[9])]; }), 9);
}

// The draws themselves, so that a change of the generator is seen.
void draws_are_pinned() {
  nt::SamplerMemory memory;
  std::vector<float> logits(1000, 0.0f);
  nt_sampling p = with(1);
  std::vector<int> drawn;
  for (uint64_t i = 0; i < 4; ++i) {
    p.counter = i;
    drawn.push_back(nt::sample(logits.data(), 1000, p, nullptr, &memory));
  }
  const std::vector<int> expected = {343, 955, 486, 67};
  CHECK(drawn == expected);
  p.seed = 43;
  p.counter = 0;
  CHECK(nt::sample(logits.data(), 1000, p, nullptr, &memory) != drawn[0]);
}

}  // namespace

int main() {
  exp_is_exact_enough();
  greedy_takes_the_lowest_of_equals();
  refuses();
  log_probabilities();
  draws_are_pinned();
  const std::vector<float> few = random_logits(40, 5), many = random_logits(1000, 6, 2);
  for (const auto& logits : {few, many}) {
    check_distribution(logits, with(1));
    check_distribution(logits, with(0.5f));
    check_distribution(logits, with(2, 10));
    check_distribution(logits, with(1, 0, 0.9f));
    check_distribution(logits, with(1.3f, 0, 0.999f));
    check_distribution(logits, with(1, 0, 1, 0.05f));
    check_distribution(logits, with(0.8f, 40, 0.95f, 0.05f));
  }
  return test::result();
}
