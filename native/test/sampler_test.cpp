// The sampler against the plain definition of each stage, and against the statistics of its draws.
#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "check.h"
#include "hostile.h"
#include "sampler_reference.h"

namespace {

using test::Random;

constexpr int kVocabulary = 131072;  // Mistral-Nemo's

nt_sampling off() {
  nt_sampling p;
  nt_sampling_init(&p);
  p.seed = 42;
  return p;
}

nt_sampling with(const std::function<void(nt_sampling&)>& set) {
  nt_sampling p = off();
  set(p);
  return p;
}

void order(nt_sampling* p, const std::vector<int>& stages) {
  std::fill(std::begin(p->order), std::end(p->order), 0);
  std::copy(stages.begin(), stages.end(), p->order);
}

int32_t draw(const std::vector<float>& logits, const nt_sampling& p, const uint64_t* mask = nullptr) {
  static nt::SamplerMemory memory;
  double mu = 0;
  return nt::sample(logits.data(), static_cast<int>(logits.size()), p, mask, &memory, &mu);
}

std::vector<uint64_t> every_third(size_t n) {
  std::vector<uint64_t> mask((n + 63) / 64);
  for (size_t t = 0; t < n; t += 3) mask[t / 64] |= uint64_t{1} << (t % 64);
  return mask;
}

double unit(Random& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }
float between(Random& random, double low, double high) { return static_cast<float>(low + (high - low) * unit(random)); }

// Nearly normal, by arithmetic that is the same everywhere.
std::vector<float> random_logits(int n, uint64_t seed, float scale = 3) {
  Random random{seed};
  std::vector<float> logits(static_cast<size_t>(n));
  for (float& l : logits) {
    l = 0;
    for (int i = 0; i < 6; ++i) l += random.uniform();
    l *= scale * 0.7f;
  }
  return logits;
}

// One of each kind of sampler, alone.
std::vector<nt_sampling> single_samplers() {
  static const int32_t history[] = {1, 2, 3, 1, 2, 3, 1, 2};
  static const int32_t bias_tokens[] = {3, 4};
  static const float biases[] = {2.5f, -1.5f};
  const auto with_history = [](nt_sampling& p) { p.history = history, p.n_history = 8; };
  return {
      off(),
      with([](nt_sampling& p) { p.temperature = 0; }),
      with([](nt_sampling& p) { p.temperature = 0.5f; }),
      with([](nt_sampling& p) { p.temperature = 2; }),
      with([](nt_sampling& p) { p.temperature_range = 0.7f, p.temperature_exponent = 1.3f; }),
      with([](nt_sampling& p) { p.temperature = 0.5f, p.temperature_range = 0.8f; }),
      with([](nt_sampling& p) { p.top_k = 10; }),
      with([](nt_sampling& p) { p.top_p = 0.9f; }),
      with([](nt_sampling& p) { p.min_p = 0.05f; }),
      with([](nt_sampling& p) { p.typical_p = 0.6f; }),
      with([](nt_sampling& p) { p.top_n_sigma = 1.1f; }),
      with([](nt_sampling& p) { p.xtc_probability = 1, p.xtc_threshold = 0.03f; }),
      with([](nt_sampling& p) { p.mirostat_tau = 3, p.mirostat_mu = 5.3; }),
      with([](nt_sampling& p) { p.n_biases = 2, p.bias_tokens = bias_tokens, p.biases = biases; }),
      with([&](nt_sampling& p) { with_history(p), p.penalty_last_n = -1, p.repeat_penalty = 1.3f; }),
      with([&](nt_sampling& p) { with_history(p), p.penalty_last_n = 4, p.frequency_penalty = 0.6f; }),
      with([&](nt_sampling& p) { with_history(p), p.penalty_last_n = 6, p.presence_penalty = 0.9f; }),
      with([&](nt_sampling& p) { with_history(p), p.dry_last_n = -1, p.dry_multiplier = 0.8f; }),
      with([](nt_sampling& p) { p.temperature = 0.8f, p.top_k = 40, p.top_p = 0.95f, p.min_p = 0.05f; }),
  };
}

// -------------------------------------------------------------------------------- what is left, and how probable

// Tokens as in the reference and in no other number; probabilities to the rounding of doubles.
bool same_distribution(const std::vector<float>& logits, const nt_sampling& p, const uint64_t* mask = nullptr) {
  static nt::SamplerMemory memory;
  nt::Candidates& got = nt::narrow(logits.data(), static_cast<int>(logits.size()), p, mask, &memory);
  const std::vector<test::Probable> want = test::reference(logits, p, mask, p.xtc_probability == 1);
  if (got.size() != want.size()) return false;
  for (const test::Probable& x : want) {
    const size_t at = got.find(x.token);
    if (at == got.size()) return false;
    const double probability = got.weights()[at] / got.total_weight();
    if (std::fabs(probability - static_cast<double>(x.p)) > 1e-11 * static_cast<double>(x.p) + 1e-300) return false;
  }
  return true;
}

struct RandomCase {
  std::vector<float> logits, biases;
  std::vector<int32_t> history, bias_tokens, exempt;
  std::vector<uint64_t> mask, breakers;
  nt_sampling p;

  explicit RandomCase(Random& random) {
    const int n = random.one_in(4) ? random.between(1, 8) : random.between(9, 1500);
    const uint64_t seed = random.next();
    logits = random_logits(n, seed, between(random, 0.01, 8));
    if (random.one_in(3)) {
      for (float& l : logits) l = std::floor(l);  // ties
    }
    if (random.one_in(3)) {
      for (float& l : logits) l = random.one_in(3) ? -HUGE_VALF : l;
    }
    logits[static_cast<size_t>(random.below(n))] = between(random, -5, 20);
    const auto token = [&] { return random.below(random.one_in(2) ? n : std::min(n, 4)); };
    for (int i = random.below(80); i > 0; --i) history.push_back(token());
    for (int i = random.below(5); i > 0; --i) {
      bias_tokens.push_back(token());
      biases.push_back(between(random, -9, 9));
    }
    for (int i = random.below(3); i > 0; --i) exempt.push_back(token());
    const size_t words = (static_cast<size_t>(n) + 63) / 64;
    for (size_t i = 0; i < words; ++i) {
      mask.push_back(random.one_in(5) ? 0 : random.next());
      breakers.push_back(random.next() & random.next() & random.next());
    }
    for (int t = 0; t < n; ++t) {
      if (logits[static_cast<size_t>(t)] > -HUGE_VALF) mask[static_cast<size_t>(t / 64)] |= uint64_t{1} << (t % 64);
      if (random.one_in(2)) break;
    }
    p = parameters(random);
  }

  nt_sampling parameters(Random& random) {
    const auto set = [&](float* x, double low, double high) {
      if (random.one_in(3)) *x = between(random, low, high);
    };
    nt_sampling q = off();
    q.history = history.data();
    q.n_history = static_cast<int32_t>(history.size());
    q.bias_tokens = bias_tokens.data();
    q.biases = biases.data();
    q.n_biases = static_cast<int32_t>(biases.size());
    q.xtc_exempt = exempt.data();
    q.n_xtc_exempt = static_cast<int32_t>(exempt.size());
    q.dry_breakers = random.one_in(2) ? breakers.data() : nullptr;
    set(&q.temperature, 0.1, 2);
    if (random.one_in(10)) q.temperature = 0;
    set(&q.temperature_range, 0, 1);
    set(&q.temperature_exponent, 0.3, 3);
    if (random.one_in(3)) q.top_k = random.between(1, 100);
    set(&q.top_p, 0.1, 0.999);
    set(&q.min_p, 0.001, 0.3);
    set(&q.typical_p, 0.1, 0.999);
    set(&q.top_n_sigma, 0.3, 3);
    if (random.one_in(3)) q.xtc_probability = 1;
    q.xtc_threshold = between(random, 0.001, 0.4);
    q.penalty_last_n = random.between(-1, 30);
    set(&q.repeat_penalty, 0.7, 1.8);
    set(&q.frequency_penalty, -1, 1);
    set(&q.presence_penalty, -1, 1);
    set(&q.dry_multiplier, 0.1, 1);
    q.dry_base = between(random, 1, 2);
    q.dry_allowed_length = random.between(1, 4);
    q.dry_last_n = random.between(-1, 60);
    set(&q.mirostat_tau, 0.5, 6);
    q.mirostat_mu = between(random, -1, 12);
    if (random.one_in(2)) {
      std::vector<int> stages = {1, 2, 3, 4, 5, 6, 7, 8, 9};
      for (int i = 8; i > 0; --i)
        std::swap(stages[static_cast<size_t>(i)], stages[static_cast<size_t>(random.below(i + 1))]);
      stages.resize(static_cast<size_t>(random.between(1, 9)));
      order(&q, stages);
    }
    return q;
  }
};

void random_chains_are_as_defined() {
  Random random{1};
  for (int i = 0; i < (test::kEmulated ? 200 : 5000); ++i) {
    const RandomCase c(random);
    const bool masked = random.one_in(2);
    bool left = false;
    for (int t = 0; t < static_cast<int>(c.logits.size()); ++t) {
      left = left || (c.logits[static_cast<size_t>(t)] > -HUGE_VALF && nt::allowed(c.mask.data(), t));
    }
    const uint64_t* mask = masked && left ? c.mask.data() : nullptr;
    if (!same_distribution(c.logits, c.p, mask)) test::fail(__FILE__, __LINE__, nt::format("random chain %d", i));
  }
}

// A whole vocabulary, like a model's and flat: where next to nothing falls away early, other code finds what is left.
std::vector<std::vector<float>> whole_vocabularies() {
  if (test::kEmulated) return {random_logits(3000, 8)};
  return {random_logits(kVocabulary, 8), random_logits(kVocabulary, 9, 0.1f), std::vector<float>(kVocabulary, 1.5f)};
}

void single_samplers_are_as_defined() {
  std::vector<std::vector<float>> rows = whole_vocabularies();
  for (int n : {5, 40, 1000}) rows.push_back(random_logits(n, static_cast<uint64_t>(n)));
  rows.push_back(random_logits(5000, 10, 0.1f));  // equal ones next to some that are nearly so
  for (float& l : rows.back()) l = std::floor(l * 256) / 256;
  for (const std::vector<float>& logits : rows) {
    const std::vector<uint64_t> mask = every_third(logits.size());
    int i = 0;
    for (const nt_sampling& p : single_samplers()) {
      const bool same = same_distribution(logits, p) && same_distribution(logits, p, mask.data());
      if (!same) test::fail(__FILE__, __LINE__, nt::format("sampler %d of %zu logits", i, logits.size()));
      ++i;
    }
  }
}

// -------------------------------------------------------------------------------------------------------- draws

// χ² of the draws against the reference; tokens of probability 0 must not be drawn at all.
void check_draws(const std::vector<float>& logits, nt_sampling p, const uint64_t* mask = nullptr) {
  constexpr int kDraws = test::kEmulated ? 2000 : 20000;
  std::vector<double> expected(logits.size());
  const double acts = static_cast<double>(p.xtc_probability);
  for (bool acting : {false, true}) {
    for (const test::Probable& x : test::reference(logits, p, mask, acting)) {
      expected[static_cast<size_t>(x.token)] += static_cast<double>(x.p) * (acting ? acts : 1 - acts) * kDraws;
    }
  }
  std::vector<int> drawn(logits.size());
  for (int i = 0; i < kDraws; ++i) {
    p.counter = static_cast<uint64_t>(i);
    ++drawn[static_cast<size_t>(draw(logits, p, mask))];
  }
  double chi2 = 0, rest_expected = 0, rest_drawn = 0;
  int freedom = -1;
  const auto cell = [&](double e, double d) {
    chi2 += (d - e) * (d - e) / e;
    ++freedom;
  };
  for (size_t t = 0; t < logits.size(); ++t) {
    if (expected[t] == 0) CHECK_EQ(drawn[t], 0);
    if (expected[t] < 10) {  // too few for the normal approximation: pooled
      rest_expected += expected[t];
      rest_drawn += drawn[t];
    } else {
      cell(expected[t], drawn[t]);
    }
  }
  if (rest_expected >= 10) cell(rest_expected, rest_drawn);
  if (freedom < 1) return;
  // Wilson and Hilferty 1931: the cube root of χ² / k is nearly normal. Five deviations: one chance in 3.5 million.
  const double v = 2.0 / (9 * freedom);
  CHECK((std::cbrt(chi2 / freedom) - (1 - v)) / std::sqrt(v) < 5);
}

void draws_are_distributed_as_defined() {
  for (const auto& logits : {random_logits(40, 5), random_logits(1000, 6, 2)}) {
    const std::vector<uint64_t> mask = every_third(logits.size());
    for (nt_sampling p : single_samplers()) {
      check_draws(logits, p);
      check_draws(logits, p, mask.data());
      if (p.xtc_probability > 0) p.xtc_probability = 0.3f, check_draws(logits, p);
    }
  }
}

// The draws themselves, so that a change of the generator is seen.
void draws_are_pinned() {
  const std::vector<float> logits(1000, 0.0f);
  nt_sampling p = off();
  std::vector<int> drawn;
  for (uint64_t i = 0; i < 4; ++i) {
    p.counter = i;
    drawn.push_back(draw(logits, p));
  }
  const std::vector<int> expected = {343, 955, 486, 67};
  CHECK(drawn == expected);
  p.seed = 43;
  p.counter = 0;
  CHECK(draw(logits, p) != drawn[0]);
}

// FNV-1a over draws: one number for every compiler, optimisation, instruction set and platform.
struct Hash {
  uint64_t value = 0xcbf29ce484222325u;
  void add(int32_t token) { value = (value ^ static_cast<uint64_t>(token)) * 0x100000001b3u; }
};

// 10,000 by random chains.
void draws_are_the_same_everywhere() {
  Random random{7};
  Hash hash;
  for (int i = 0; i < 100; ++i) {
    RandomCase c(random);
    c.p.xtc_probability *= 0.5f;
    if (c.p.temperature == 0) c.p.temperature = 1;
    for (uint64_t counter = 0; counter < 100; ++counter) {
      c.p.counter = counter;
      hash.add(draw(c.logits, c.p));
    }
  }
  CHECK_EQ(hash.value, uint64_t{10927463836412071133u});
}

// Over whole vocabularies, by each sampler.
void draws_from_whole_vocabularies_are_the_same_everywhere() {
  if (test::kEmulated) return;
  Hash hash;
  for (const std::vector<float>& logits : whole_vocabularies()) {
    for (nt_sampling p : single_samplers()) {
      for (p.counter = 0; p.counter < 8; ++p.counter) hash.add(draw(logits, p));
    }
  }
  CHECK_EQ(hash.value, uint64_t{12854415332651867652u});
}

// ----------------------------------------------------------------------------------------------------- by hand

void greedy_takes_the_lowest_of_equals() {
  const std::vector<float> logits = {1, 7, 3, 7, -INFINITY};
  const nt_sampling greedy = with([](nt_sampling& p) { p.temperature = 0; });
  CHECK_EQ(draw(logits, greedy), 1);
  const uint64_t mask = 0b11101;
  CHECK_EQ(draw(logits, greedy, &mask), 3);
  CHECK_EQ(draw(logits, with([](nt_sampling& p) { p.top_k = 1; }), &mask), 3);
}

// The most probable one and those 2 below it, of a seventh of its weight, are as near to what is 1 below it: by ids, it
// and four of them have 1.5. One that is there comes before them.
void equally_near_ones_differ_in_weight() {
  for (const size_t equal : {size_t{10}, size_t{200}}) {
    std::vector<float> logits(equal + 1, 0);
    logits[0] = 2;
    for (const bool one_at_center : {false, true}) {
      if (one_at_center) logits.push_back(1);
      nt::Candidates candidates;
      candidates.load(logits.data(), static_cast<int>(logits.size()), nullptr);
      candidates.keep_nearest(1, 1.5 + (one_at_center ? std::exp(-1) : 0));
      CHECK_EQ(candidates.size(), size_t{5} + one_at_center);
    }
  }
}

void order_matters() {
  // Probabilities 0.6, 0.3, 0.1: two of them have 0.85. At temperature 2 they are 0.473, 0.334, 0.193: all three.
  const std::vector<float> logits = {std::log(0.6f), std::log(0.3f), std::log(0.1f)};
  nt::SamplerMemory memory;
  nt_sampling p = with([](nt_sampling& q) { q.temperature = 2, q.top_p = 0.85f; });
  const auto left = [&] { return nt::narrow(logits.data(), 3, p, nullptr, &memory).size(); };
  CHECK_EQ(left(), size_t{2});
  order(&p, {NT_STAGE_TOP_P, NT_STAGE_TEMPERATURE});
  CHECK_EQ(left(), size_t{2});
  order(&p, {NT_STAGE_TEMPERATURE, NT_STAGE_TOP_P});
  CHECK_EQ(left(), size_t{3});
  order(&p, {NT_STAGE_TEMPERATURE});  // the others do not run
  CHECK_EQ(left(), size_t{3});
}

void dry_counts_what_would_be_repeated() {
  // "5 6 7 8 … 5 6 7": 8 would make it four tokens that come twice, after three that do.
  const std::vector<int32_t> history = {5, 6, 7, 8, 9, 5, 6, 7};
  const std::vector<float> logits(10, 1.0f);
  nt::SamplerMemory memory;
  nt_sampling p = with([&](nt_sampling& q) {
    q.history = history.data(), q.n_history = 8, q.dry_last_n = -1;
    q.dry_multiplier = 0.5f, q.dry_base = 2, q.dry_allowed_length = 2;
  });
  const auto penalty = [&](size_t token) {
    return 1 - nt::narrow(logits.data(), 10, p, nullptr, &memory).logit(token);
  };
  CHECK_EQ(penalty(8), 0.5 * 2);
  CHECK_EQ(penalty(6), 0.0);
  p.dry_last_n = 7;  // without the first 5
  CHECK_EQ(penalty(8), 0.5);
  p.dry_last_n = 6;
  CHECK_EQ(penalty(8), 0.0);
  p.dry_last_n = -1;
  const uint64_t six = 1 << 6, eight = 1 << 8, seven = 1 << 7;
  p.dry_breakers = &six;  // what repeats is "7" alone
  CHECK_EQ(penalty(8), 0.0);
  p.dry_allowed_length = 1;
  CHECK_EQ(penalty(8), 0.5);
  p.dry_breakers = &eight;
  CHECK_EQ(penalty(8), 0.0);
  p.dry_breakers = &seven;
  CHECK_EQ(penalty(8), 0.0);
}

// In "6 5 6 5 7 5 6 5" the longest before a 6 is at the very beginning, and overlaps the one before 7.
void dry_looks_at_all_of_the_window() {
  const std::vector<int32_t> history = {6, 5, 6, 5, 7, 5, 6, 5};
  const std::vector<float> logits(10, 1.0f);
  nt::SamplerMemory memory;
  const nt_sampling p = with([&](nt_sampling& q) {
    q.history = history.data(), q.n_history = 8, q.dry_last_n = -1;
    q.dry_multiplier = 0.5f, q.dry_base = 2, q.dry_allowed_length = 1;
  });
  const nt::Candidates& left = nt::narrow(logits.data(), 10, p, nullptr, &memory);
  CHECK_EQ(1 - left.logit(6), 0.5 * 2);
  CHECK_EQ(1 - left.logit(7), 0.5 * 4);
}

// In time that is linear, or this would take minutes; and by no more than 10³⁰.
void dry_is_linear() {
  constexpr int kTokens = 131072;
  const std::vector<float> logits(3, 1.0f);
  nt::SamplerMemory memory;
  for (int period : {1, 2, 3}) {
    std::vector<int32_t> history(kTokens);
    for (size_t i = 0; i < history.size(); ++i) history[i] = static_cast<int32_t>(i % static_cast<size_t>(period));
    const nt_sampling p = with([&](nt_sampling& q) {
      q.history = history.data(), q.n_history = kTokens, q.dry_last_n = -1, q.dry_multiplier = 1;
    });
    const auto next = static_cast<size_t>(kTokens % period);
    CHECK_EQ(nt::narrow(logits.data(), 3, p, nullptr, &memory).logit(next), 1 - 1e30);
    // The only one that is allowed is drawn all the same.
    const uint64_t mask = uint64_t{1} << next;
    CHECK_EQ(draw(logits, p, &mask), static_cast<int32_t>(next));
  }
}

void windows_end_where_they_are_told_to() {
  const std::vector<float> logits = random_logits(20, 3);
  const int32_t history[] = {-1, 99, 4, 4, 7};
  nt_sampling p = with([&](nt_sampling& q) {
    q.history = history, q.n_history = 5, q.penalty_last_n = q.dry_last_n = 3;
    q.repeat_penalty = 1.5f, q.dry_multiplier = 1;
  });
  CHECK(same_distribution(logits, p));
  p.penalty_last_n = -1;
  CHECK_THROWS(draw(logits, p), NT_INVALID_ARGUMENT, "token -1");
  p.penalty_last_n = 4;
  CHECK_THROWS(draw(logits, p), NT_INVALID_ARGUMENT, "token 99");
  p.penalty_last_n = 3;
  CHECK(same_distribution(logits, p));  // the failures left nothing behind
  p.n_history = 0;
  p.history = nullptr;
  CHECK(same_distribution(logits, p));
}

void mirostat_follows_the_surprise() {
  const std::vector<float> logits = random_logits(500, 12);
  nt_sampling p = with([](nt_sampling& q) { q.mirostat_tau = 3, q.mirostat_eta = 0.2f, q.mirostat_mu = 6; });
  nt::SamplerMemory memory;
  for (uint64_t i = 0; i < 50; ++i) {
    p.counter = i;
    double mu = 0;
    const int32_t token = nt::sample(logits.data(), 500, p, nullptr, &memory, &mu);
    long double surprise = -1;
    for (const test::Probable& x : test::reference(logits, p, nullptr, false)) {
      if (x.token == token) surprise = -std::log2(x.p);
    }
    CHECK(surprise >= 0);
    const long double eta = static_cast<long double>(p.mirostat_eta);
    CHECK(std::fabs(static_cast<long double>(mu) - (p.mirostat_mu - eta * (surprise - 3))) < 1e-12L);
    p.mirostat_mu = mu;
  }
}

void xtc_leaves_what_is_exempt() {
  const std::vector<float> logits = {3, 2.5f, 2, -1, -2};
  nt_sampling p = with([](nt_sampling& q) { q.xtc_probability = 1, q.xtc_threshold = 0.1f; });
  nt::SamplerMemory memory;
  const auto left = [&] { return nt::narrow(logits.data(), 5, p, nullptr, &memory).size(); };
  CHECK_EQ(left(), size_t{3});  // the third of those above 0.1, and the two below
  int32_t exempt = 1;
  p.xtc_exempt = &exempt;
  p.n_xtc_exempt = 1;
  CHECK_EQ(left(), size_t{5});
  exempt = 2;  // would not be excluded
  CHECK_EQ(left(), size_t{3});
  p.n_xtc_exempt = 0;
  const std::vector<float> equal(5, 1.0f);
  CHECK_EQ(draw(equal, p), 4);
}

void one_allowed_token_is_drawn() {
  const std::vector<float> logits = random_logits(200, 8);
  for (int token : {0, 1, 3, 63, 64, 199}) {
    uint64_t mask[4] = {};
    mask[token / 64] = uint64_t{1} << (token % 64);
    for (const nt_sampling& p : single_samplers()) CHECK_EQ(draw(logits, p, mask), token);
  }
}

void extreme_logits() {
  const std::vector<std::vector<float>> rows = {
      std::vector<float>(700, 0.0f),
      std::vector<float>(700, -3e38f),
      {1e38f, -1e38f, 3e38f, 3e38f, 0, 1, -3e38f, 3e38f},
      {-INFINITY, -INFINITY, 5, -INFINITY, -INFINITY},
      {-1e-45f, 1e-45f, 0, -0.0f, 1e-38f},
      {2, 2, 2, 2, -INFINITY, -1e30f},
  };
  for (const std::vector<float>& row : rows) {
    for (nt_sampling p : single_samplers()) {
      for (float temperature : {p.temperature, 1e-45f, 3e38f}) {
        p.temperature = temperature;
        for (uint64_t i = 0; i < 20; ++i) {
          p.counter = i;
          const auto token = static_cast<size_t>(draw(row, p));
          CHECK(token < row.size() && row[token] > -HUGE_VALF);
        }
      }
    }
  }
  // Of what is 10³⁸ below nothing is drawn, of equals all.
  nt_sampling p = off();
  std::vector<bool> drawn(8);
  for (; p.counter < 60; ++p.counter) drawn[static_cast<size_t>(draw(rows[2], p))] = true;
  CHECK(drawn == std::vector<bool>({false, false, true, true, false, false, false, true}));
}

void refuses() {
  std::vector<float> logits = random_logits(100, 1);
  const auto refused = [&](const char* what, const std::function<void(nt_sampling&)>& set) {
    CHECK_THROWS(draw(logits, with(set)), NT_INVALID_ARGUMENT, what);
  };
  refused("temperature is -1", [](nt_sampling& p) { p.temperature = -1; });
  refused("temperature is nan", [](nt_sampling& p) { p.temperature = NAN; });
  refused("temperature is inf", [](nt_sampling& p) { p.temperature = INFINITY; });
  refused("temperature_range is -1", [](nt_sampling& p) { p.temperature_range = -1; });
  refused("temperature_exponent is 0", [](nt_sampling& p) { p.temperature_exponent = 0; });
  refused("top_k is -1", [](nt_sampling& p) { p.top_k = -1; });
  refused("top_p is 0", [](nt_sampling& p) { p.top_p = 0; });
  refused("top_p is 1.5", [](nt_sampling& p) { p.top_p = 1.5f; });
  refused("min_p is 2", [](nt_sampling& p) { p.min_p = 2; });
  refused("typical_p is 0", [](nt_sampling& p) { p.typical_p = 0; });
  refused("top_n_sigma is -1", [](nt_sampling& p) { p.top_n_sigma = -1; });
  refused("xtc_probability is 1.5", [](nt_sampling& p) { p.xtc_probability = 1.5f; });
  refused("xtc_threshold is 0", [](nt_sampling& p) { p.xtc_threshold = 0; });
  refused("penalty_last_n is -2", [](nt_sampling& p) { p.penalty_last_n = -2; });
  refused("repeat_penalty is 0", [](nt_sampling& p) { p.repeat_penalty = 0; });
  refused("frequency_penalty is inf", [](nt_sampling& p) { p.frequency_penalty = INFINITY; });
  refused("presence_penalty is nan", [](nt_sampling& p) { p.presence_penalty = NAN; });
  refused("dry_multiplier is -1", [](nt_sampling& p) { p.dry_multiplier = -1; });
  refused("dry_base is 0.5", [](nt_sampling& p) { p.dry_base = 0.5f; });
  refused("dry_allowed_length is 0", [](nt_sampling& p) { p.dry_allowed_length = 0; });
  refused("dry_last_n is -2", [](nt_sampling& p) { p.dry_last_n = -2; });
  refused("mirostat_tau is -1", [](nt_sampling& p) { p.mirostat_tau = -1; });
  refused("mirostat_eta is nan", [](nt_sampling& p) { p.mirostat_eta = NAN; });
  refused("mirostat_mu is nan", [](nt_sampling& p) { p.mirostat_mu = NAN; });
  refused("n_history is -1", [](nt_sampling& p) { p.n_history = -1; });
  refused("history is NULL", [](nt_sampling& p) { p.n_history = 1; });
  refused("xtc_exempt is NULL", [](nt_sampling& p) { p.n_xtc_exempt = 1; });
  refused("order has 10", [](nt_sampling& p) { p.order[0] = 10; });
  refused("order has stage 4 twice", [](nt_sampling& p) { p.order[0] = p.order[1] = 4; });
  static const int32_t token = 5, outside = 100;
  static const float bias = 1, infinite = INFINITY, nan = NAN;
  refused("biases is NULL", [](nt_sampling& p) { p.n_biases = 1, p.bias_tokens = &token; });
  refused("bias_tokens[0] is 100", [](nt_sampling& p) { p.n_biases = 1, p.bias_tokens = &outside, p.biases = &bias; });
  refused("biases[0] is inf", [](nt_sampling& p) { p.n_biases = 1, p.bias_tokens = &token, p.biases = &infinite; });
  refused("biases[0] is nan", [](nt_sampling& p) { p.n_biases = 1, p.bias_tokens = &token, p.biases = &nan; });
}

void refuses_where_nothing_is_left() {
  std::vector<float> logits = random_logits(100, 1);
  const uint64_t none[2] = {0, 0}, five[2] = {1 << 5, 0};
  CHECK_THROWS(draw(logits, off(), none), NT_INVALID_ARGUMENT, "allows no token");
  const int32_t token = 5;
  const float ban = -INFINITY;
  const nt_sampling banned = with([&](nt_sampling& p) { p.n_biases = 1, p.bias_tokens = &token, p.biases = &ban; });
  CHECK_THROWS(draw(logits, banned, five), NT_INVALID_ARGUMENT, "leave no token");
  CHECK(same_distribution(logits, banned));
  logits[50] = NAN;
  CHECK_THROWS(draw(logits, off()), NT_INTERNAL, "token 50 is not a number");
  CHECK_EQ(draw(logits, off(), five), 5);
  logits[50] = INFINITY;
  CHECK_THROWS(draw(logits, off()), NT_INTERNAL, "inf (token 50)");
  std::fill(logits.begin(), logits.end(), -INFINITY);
  CHECK_THROWS(draw(logits, off()), NT_INTERNAL, "-inf");
}

void log_probabilities() {
  std::vector<float> logits = random_logits(1000, 9);
  logits[3] = -INFINITY;
  long double sum = 0;
  for (float l : logits) sum += std::exp(static_cast<long double>(l));
  nt::SamplerMemory memory;
  CHECK(std::fabs(nt::log_sum_exp(logits.data(), 1000, &memory) - static_cast<double>(std::log(sum))) < 1e-13);
  logits[7] = logits[500];
  std::vector<test::Probable> want = test::reference(logits, off(), nullptr, false);
  for (int k : {1, 10, 999, 1000}) {
    std::vector<int32_t> top;
    nt::top_k(logits.data(), 1000, k, &memory, &top);
    CHECK_EQ(top.size(), static_cast<size_t>(k));
    for (size_t i = 0; i < std::min<size_t>(top.size(), 999); ++i) CHECK_EQ(top[i], want[i].token);
    if (k == 1000) CHECK_EQ(top[999], 3);
  }
}

}  // namespace

int main() {
  random_chains_are_as_defined();
  single_samplers_are_as_defined();
  draws_are_distributed_as_defined();
  draws_are_pinned();
  draws_are_the_same_everywhere();
  draws_from_whole_vocabularies_are_the_same_everywhere();
  greedy_takes_the_lowest_of_equals();
  equally_near_ones_differ_in_weight();
  order_matters();
  dry_counts_what_would_be_repeated();
  dry_looks_at_all_of_the_window();
  dry_is_linear();
  windows_end_where_they_are_told_to();
  mirostat_follows_the_surprise();
  xtc_leaves_what_is_exempt();
  one_allowed_token_is_drawn();
  extreme_logits();
  refuses();
  refuses_where_nothing_is_left();
  log_probabilities();
  return test::result();
}
