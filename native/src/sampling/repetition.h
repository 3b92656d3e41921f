// What the tokens before take from the logits.
#pragma once

#include <cstdint>
#include <vector>

#include "nautil.h"
#include "sampling/candidates.h"

namespace nt {

// Used by one thread at a time; keeps its memory.
class Repetition {
 public:
  // Repetition penalty (Keskar et al. 2019, CTRL), frequency and presence penalty (OpenAI's API).
  void penalize(const nt_sampling& p, int n_vocab, Candidates* candidates);

  // DRY, "don't repeat yourself", as its author p-e-w describes it (text-generation-webui, pull request 5677): tokens
  // are penalised that would continue a repetition of what ends the history. Linear in the window.
  void dry(const nt_sampling& p, int n_vocab, Candidates* candidates);

 private:
  // The last tokens of the history; throws Error(NT_INVALID_ARGUMENT) if one is not in the vocabulary.
  struct Window {
    const int32_t* tokens;
    size_t size;
  };
  Window window(const nt_sampling& p, int32_t last_n, int n_vocab);
  void find_repeated(const nt_sampling& p, Window w, size_t limit);
  void note(const nt_sampling& p, int32_t next, int32_t length);
  template <class F>
  void change(Candidates* candidates, F f);  // f(number, logit) for found_

  std::vector<int32_t> of_token_;  // (n_vocab): how often, or how long; zeros between calls
  std::vector<int32_t> matched_;   // of the tokens before the last i: how many end like the window
  std::vector<int32_t> found_;     // where that is not 0
};

}  // namespace nt
