// The tokens that are left of a row of logits, always by id: nothing is ever sorted but a few dozen at a boundary.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/kernels.h"

namespace nt {

bool allowed(const uint64_t* mask, int token);

// f(0) + … + f(n − 1), in eight parts that do not wait for each other, always the same ones.
template <class F>
double sum(size_t n, F f) {
  constexpr size_t kLanes = 8;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] += f(i + j);
  }
  for (size_t j = 0; i < n; ++i, ++j) lanes[j] += f(i);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// Used by one thread at a time; keeps its memory.
class Candidates {
 public:
  // What the mask allows (null: everything) and is not −infinity. Throws Error(NT_INVALID_ARGUMENT) if the mask allows
  // nothing, Error(NT_INTERNAL) if a logit is NaN or the largest infinite.
  void load(const float* logits, int n_vocab, const uint64_t* mask);

  size_t size() const { return size_; }
  int32_t id(size_t i) const { return ids_[i]; }
  double logit(size_t i) const { return logits_[i]; }
  const double* logits() const { return logits_.data(); }
  double max() const { return max_; }

  // The most probable one, the lowest id among equals.
  size_t best() const;

  // Where a token is, or size().
  size_t find(int32_t token) const;

  // Probabilities but for a factor.
  const double* weights();
  double total_weight();

  // ln Σ exp(logit − max()): the surprise of the most probable one, in nats.
  double log_total();

  // Mean of max − logit by probability. The entropy is this + log_total().
  double mean_distance();

  // f(id, logit) is the new logit of these n tokens where they are candidates; f may be asked of others too, and
  // returns what they have. −infinity drops a token; that may leave none.
  template <class F>
  void change(const int32_t* tokens, size_t n, F f) {
    bool dropped = false;
    const auto change_at = [&](size_t i) {
      logits_[i] = f(ids_[i], logits_[i]);
      dropped |= logits_[i] == -HUGE_VAL;
    };
    if (n < size() / 64) {  // finding one takes as long as passing 64
      for (size_t t = 0; t < n; ++t) {
        const size_t i = find(tokens[t]);
        if (i < size()) change_at(i);
      }
    } else {
      for (size_t i = 0; i < size(); ++i) change_at(i);
    }
    changed(dropped);
  }

  // All logits, by what is above 0.
  void multiply(double by);

  // Keeps best() alone.
  void keep_best();

  // Those of at least this logit. One must be.
  void keep_from(double logit);

  // Those at most this far below max().
  void keep_within(double distance);

  // In the order of decreasing logit and then increasing id, keeps as few as have `wanted` candidates together.
  void keep_most_probable(size_t wanted);

  // Likewise, as few as have this much weight together.
  void keep_most_probable_weight(double wanted);

  // In the order of |max − distance − logit| and then increasing id, as few as have this much weight together.
  void keep_nearest(double distance, double wanted);

  // The last, in the order of decreasing logit and then increasing id, that has this weight at least; size(): none has.
  size_t last_of_weight(double weight);

  // Drops what is before this candidate in the order of decreasing logit and then increasing id.
  void drop_more_probable(size_t than);

  // Cumulative in the order of ids: the first candidate above `part` of the total weight; part is in [0, 1).
  size_t at(double part);

 private:
  // What candidates are ordered by: center − logit, or the absolute value of that; then by index.
  struct Key {
    double center;
    bool absolute;
    double operator()(double logit) const { return absolute ? std::fabs(center - logit) : center - logit; }
  };
  struct Place {
    double key;
    size_t index;
    bool operator<(const Place& other) const { return key != other.key ? key < other.key : index < other.index; }
  };

  double least();
  void changed(bool dropped);
  void sum_blocks();
  void find_extremes();
  size_t move(const cpu::KeyRange& range, size_t begin, size_t end, size_t to);
  void shrink(size_t n);
  void best_dropped();
  void keep_first(Key key, double low, double high, const double* weights, double wanted);
  int32_t find_bucket(double wanted, double* before) const;
  Place boundary(const double* weights, double wanted, double before);

  size_t size_ = 0;
  std::vector<int32_t> ids_;  // (size or more), as are the next two
  std::vector<double> logits_, weights_;
  double max_ = 0, least_ = 0;  // least_ is NaN where it is not known
  bool weighed_ = false;        // weights_ is of these logits:
  double weight_1_ = 0;         // exp(logit − this)

  static constexpr size_t kBlock = 256;
  std::vector<double> blocks_;  // of each kBlock weights the sum
  bool summed_ = false;         // blocks_ is of these weights
  double total_weight_ = 0;     // of blocks_

  // Of keep_first().
  static constexpr int32_t kBuckets = 512;
  static constexpr size_t kCopies = 4;  // an addition to a bucket waits for the last one: to one of four, it waits less
  std::vector<int32_t> first_bucket_;   // of each candidate
  std::vector<double> buckets_;         // (kBuckets, kCopies), then (kBuckets): what is in each
  std::vector<Place> places_;           // what is in question
};

}  // namespace nt
