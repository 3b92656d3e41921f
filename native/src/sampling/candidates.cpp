#include "sampling/candidates.h"

#include <algorithm>
#include <cfloat>

#include "error.h"
#include "sampling/portable_math.h"

namespace nt {
namespace {

[[noreturn]] void refuse(const float* logits, int n_vocab, const uint64_t* mask) {
  bool any = false;
  for (int t = 0; t < n_vocab; ++t) {
    if (!allowed(mask, t)) continue;
    any = true;
    if (std::isnan(logits[t])) throw Error(NT_INTERNAL, format("the logit of token %d is not a number", t));
  }
  if (!any) throw Error(NT_INVALID_ARGUMENT, "the mask allows no token");
  for (int t = 0; t < n_vocab; ++t) {
    if (allowed(mask, t) && logits[t] > 0) {
      if (std::isinf(logits[t])) throw Error(NT_INTERNAL, format("the largest logit is inf (token %d)", t));
    }
  }
  throw Error(NT_INTERNAL, "the largest logit is -inf: no token that is allowed has a probability");
}

}  // namespace

bool allowed(const uint64_t* mask, int token) { return mask == nullptr || (mask[token / 64] >> (token % 64) & 1) != 0; }

void Candidates::load(const float* logits, int n_vocab, const uint64_t* mask) {
  const auto n = static_cast<size_t>(n_vocab);
  if (ids_.size() < n) {
    ids_.resize(n);
    logits_.resize(n);
  }
  weighed_ = false;
  int excluded = 0;
  for (size_t t = 0; t < n; ++t) excluded += !(logits[t] > -HUGE_VALF);
  if (mask == nullptr && excluded == 0) {
    size_ = n;
    cpu::kernels().widen(logits, n, ids_.data(), logits_.data());
  } else {
    int nans = 0;
    size_ = 0;
    for (size_t word = 0; word < (n + 63) / 64; ++word) {
      uint64_t bits = mask == nullptr ? ~uint64_t{0} : mask[word];
      if (n - word * 64 < 64) bits &= (uint64_t{1} << n % 64) - 1;
      for (; bits != 0; bits &= bits - 1) {
        const size_t t = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        ids_[size_] = static_cast<int32_t>(t);
        logits_[size_] = static_cast<double>(logits[t]);
        nans += logits[t] != logits[t];
        size_ += logits[t] > -HUGE_VALF;
      }
    }
    if (nans > 0 || size_ == 0) refuse(logits, n_vocab, mask);
  }
  find_extremes();
  if (max_ == HUGE_VAL) refuse(logits, n_vocab, mask);
}

void Candidates::find_extremes() { cpu::kernels().extremes(logits_.data(), size(), &least_, &max_); }

double Candidates::least() {
  if (std::isnan(least_)) find_extremes();
  return least_;
}

size_t Candidates::find(int32_t token) const {
  const auto place = static_cast<size_t>(token);
  if (place < size() && ids_[place] == token) return place;
  const auto end = ids_.begin() + static_cast<std::ptrdiff_t>(size()), at = std::lower_bound(ids_.begin(), end, token);
  return at != end && *at == token ? static_cast<size_t>(at - ids_.begin()) : size();
}

const double* Candidates::weights() {
  if (!weighed_) {
    if (weights_.size() < size()) weights_.resize(size());
    cpu::kernels().exp_below(logits_.data(), size(), max_, weights_.data());
    weight_1_ = max_;
    weighed_ = true;
    summed_ = false;
  }
  return weights_.data();
}

void Candidates::sum_blocks() {
  weights();
  if (summed_) return;
  blocks_.clear();
  total_weight_ = 0;
  for (size_t i = 0; i < size(); i += kBlock) {
    blocks_.push_back(sum(std::min(kBlock, size() - i), [x = &weights_[i]](size_t j) { return x[j]; }));
    total_weight_ += blocks_.back();
  }
  summed_ = true;
}

double Candidates::total_weight() {
  sum_blocks();
  return total_weight_;
}

double Candidates::log_total() { return portable_log(total_weight()) + (weight_1_ - max_); }

double Candidates::mean_distance() {
  const double total = total_weight();
  // A weight of 0 beside a distance that is infinite in effect counts for nothing: w · ln w → 0.
  return sum(size(), [w = weights_.data(), x = logits_.data(), max = max_](size_t i) { return w[i] * (max - x[i]); }) /
         total;
}

void Candidates::changed(bool dropped) {
  weighed_ = false;
  if (dropped) size_ = move({0, false, -DBL_MAX, DBL_MAX}, 0, size(), 0);
  find_extremes();
}

// The candidates begin … end − 1 that are in the range follow those before `to`.
size_t Candidates::move(const cpu::KeyRange& range, size_t begin, size_t end, size_t to) {
  return cpu::kernels().keep_in_range(range, begin, end, to, ids_.data(), logits_.data(),
                                      weighed_ ? weights_.data() : nullptr);
}

void Candidates::shrink(size_t n) {
  if (n == size_) return;
  size_ = n;
  summed_ = false;
  least_ = NAN;
}

void Candidates::multiply(double by) {
  for (size_t i = 0; i < size(); ++i) logits_[i] *= by;
  max_ *= by;
  least_ *= by;
  weighed_ = false;
}

size_t Candidates::best() const {
  return static_cast<size_t>(std::find(logits_.begin(), logits_.end(), max_) - logits_.begin());
}

void Candidates::keep_best() {
  const size_t at = best();
  ids_[0] = ids_[at];
  logits_[0] = logits_[at];
  weighed_ = false;
  shrink(1);
}

void Candidates::keep_from(double logit) { shrink(move({0, false, -HUGE_VAL, -logit}, 0, size(), 0)); }

void Candidates::keep_within(double distance) { shrink(move({max_, false, 0, distance}, 0, size(), 0)); }

size_t Candidates::last_of_weight(double weight) {
  const double *w = weights(), *x = logits_.data();
  double least = HUGE_VAL;
  size_t last = size();
  for (size_t begin = 0; begin < size(); begin += kBlock) {
    const size_t n = std::min(kBlock, size() - begin);
    double block[kBlock], low, high;
    for (size_t i = 0; i < n; ++i) {
      const double logit = x[begin + i];  // read in either case, or the loop does not become vectors
      block[i] = w[begin + i] < weight ? HUGE_VAL : logit;
    }
    cpu::kernels().extremes(block, n, &low, &high);
    if (low == HUGE_VAL || low > least) continue;
    least = low;
    last = begin + n - 1;
  }
  while (last < size() && logits_[last] != least) --last;
  return last;
}

void Candidates::drop_more_probable(size_t than) {
  const double key = -logits_[than], above = std::nextafter(key, HUGE_VAL);
  size_t n = move({0, false, above, HUGE_VAL}, 0, than, 0);
  n = move({0, false, key, HUGE_VAL}, than, size(), n);
  shrink(n);
  best_dropped();
}

// The weights stay as long as none that matters is lost to 0.
void Candidates::best_dropped() {
  find_extremes();
  weighed_ = weighed_ && weight_1_ - max_ < 32;
}

// Puts the candidates into buckets of equal width and goes on, in rounds, with the bucket in which the boundary is.
// low, high: of the keys.
void Candidates::keep_first(Key key, double low, double high, const double* weights, double wanted) {
  if (low == high) {  // in the order of their indices already
    const double n = std::ceil(wanted / (weights != nullptr ? weights[0] : 1));
    return shrink(n < static_cast<double>(size()) ? static_cast<size_t>(n) : size());
  }
  // Of the first round: what is further from the first hardly matters, and shares the last bucket.
  constexpr double kSpan = 40;
  const cpu::KeyRange range{key.center, key.absolute, low, low + std::clamp(high - low, 1e-200, kSpan)};
  if (first_bucket_.size() < size()) first_bucket_.resize(size());
  buckets_.assign(kCopies * kBuckets, 0);
  for (size_t begin = 0; begin < size(); begin += kBlock) {
    const size_t n = std::min(kBlock, size() - begin);
    const int32_t* bucket = &first_bucket_[begin];
    cpu::kernels().bucket(range, kBuckets - 1, &logits_[begin], n, &first_bucket_[begin]);
    const auto add = [&](size_t i, size_t copy) {
      buckets_[static_cast<size_t>(bucket[i]) * kCopies + copy] += weights != nullptr ? weights[begin + i] : 1;
    };
    size_t i = 0;
    for (; i + kCopies <= n; i += kCopies) {
      for (size_t copy = 0; copy < kCopies; ++copy) add(i + copy, copy);
    }
    for (; i < n; ++i) add(i, 0);
  }
  for (size_t i = 0; i < kBuckets; ++i) {
    const double* copies = &buckets_[i * kCopies];
    buckets_[i] = (copies[0] + copies[1]) + (copies[2] + copies[3]);
  }
  double before = 0;
  const int32_t b = find_bucket(wanted, &before);
  if (b == kBuckets) return;                 // rounding: all of them have just less
  const auto each_in_bucket = [&](auto f) {  // as long as it returns true
    constexpr size_t kFew = 32;              // looked at together: most have none
    for (size_t begin = 0; begin < size(); begin += kFew) {
      const int32_t* bucket = &first_bucket_[begin];
      const size_t n = std::min(kFew, size() - begin);
      int32_t found = 0;
      for (size_t i = 0; i < n; ++i) found |= bucket[i] == b;
      for (size_t i = 0; i < n && found != 0; ++i) {
        if (bucket[i] == b && !f(begin + i)) return;
      }
    }
  };
  Place last{0, size()};
  bool alike = true;  // by logit: of two on either side of the center, the keys may be equal and the weights not
  each_in_bucket([&](size_t i) {
    if (last.index == size()) last = {key(logits_[i]), i};
    return alike = logits_[i] == logits_[last.index];
  });
  if (alike) {  // in the order of their indices already
    double n = std::ceil((wanted - before) / (weights != nullptr ? weights[last.index] : 1));
    each_in_bucket([&](size_t i) {
      last.index = i;
      return --n > 0;
    });
  } else {
    places_.clear();
    each_in_bucket([&](size_t i) {
      places_.push_back({key(logits_[i]), i});
      return true;
    });
    last = boundary(weights, wanted, before);
  }
  const size_t n = move({key.center, key.absolute, -HUGE_VAL, last.key}, 0, last.index + 1, 0);
  shrink(move({key.center, key.absolute, -HUGE_VAL, std::nextafter(last.key, -HUGE_VAL)}, last.index + 1, size(), n));
}

// The first bucket up to which there is as much as wanted; what comes before it is added to *before.
int32_t Candidates::find_bucket(double wanted, double* before) const {
  int32_t b = 0;
  while (b < kBuckets && *before + buckets_[static_cast<size_t>(b)] < wanted)
    *before += buckets_[static_cast<size_t>(b++)];
  return b;
}

// The last of places_, by key and index, that is needed to have as much as wanted, of which there is `before` already.
Candidates::Place Candidates::boundary(const double* weights, double wanted, double before) {
  constexpr size_t kFew = 64;
  constexpr int kRounds = 8;  // only keys of wildly different magnitudes need more than two
  const auto weight = [weights](const Place& p) { return weights != nullptr ? weights[p.index] : 1; };
  for (int round = 0; round < kRounds && places_.size() > kFew; ++round) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const Place& p : places_) low = std::min(low, p.key), high = std::max(high, p.key);
    const double scale = (kBuckets - 1) / (high - low);
    if (!(scale < 0x1p1000)) break;  // equal, or as good as that
    const auto bucket = [&](const Place& p) {
      return static_cast<int32_t>(std::min((p.key - low) * scale, kBuckets - 1.0));
    };
    buckets_.assign(kBuckets, 0);
    for (const Place& p : places_) buckets_[static_cast<size_t>(bucket(p))] += weight(p);
    const int32_t b = find_bucket(wanted, &before);
    if (b == kBuckets) return *std::max_element(places_.begin(), places_.end());  // rounding, as above
    places_.erase(std::remove_if(places_.begin(), places_.end(), [&](const Place& p) { return bucket(p) != b; }),
                  places_.end());
  }
  if (!std::is_sorted(places_.begin(), places_.end())) std::sort(places_.begin(), places_.end());
  for (const Place& p : places_) {
    before += weight(p);
    if (before >= wanted) return p;
  }
  return places_.back();
}

void Candidates::keep_most_probable(size_t wanted) {
  if (wanted >= size()) return;
  keep_first({0, false}, -max_, -least(), nullptr, static_cast<double>(wanted));
}

void Candidates::keep_most_probable_weight(double wanted) {
  weights();
  keep_first({0, false}, -max_, -least(), weights_.data(), wanted);
}

void Candidates::keep_nearest(double distance, double wanted) {
  weights();
  const double max = max_, center = max - distance, furthest = std::max(distance, center - least());
  keep_first({center, true}, max == least() ? furthest : 0, furthest, weights_.data(), wanted);
  best_dropped();
}

size_t Candidates::at(double part) {
  const double drawn = part * total_weight();
  double before = 0;
  size_t b = 0;
  while (b + 1 < blocks_.size() && before + blocks_[b] <= drawn) before += blocks_[b++];
  const size_t end = std::min(size(), (b + 1) * kBlock);
  size_t last = b * kBlock;  // with a weight: rounding must not draw what cannot be
  for (size_t i = b * kBlock; i < end; ++i) {
    if (weights_[i] == 0) continue;
    last = i;
    before += weights_[i];
    if (before > drawn) break;
  }
  return last;
}

}  // namespace nt
