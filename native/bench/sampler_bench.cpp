// Milliseconds that one row of 131,072 logits takes to sample, by each sampler alone and by chains: over logits like a
// model's, over flat ones, where nothing falls away early, and over equal ones. The limit is 1 ms a row.
#include <cstdio>

#include "sampler_cases.h"

int main() {
  std::printf("%-36s %18s %18s %18s\n", "ms a row (part of the limit)", "like a model's", "flat", "equal");
  for (const uint64_t* mask : {static_cast<const uint64_t*>(nullptr), bench::kHalf.data()}) {
    if (mask != nullptr) std::printf("under a mask\n");
    for (const bench::Case& c : bench::kCases) {
      std::printf("%-36s", c.name);
      for (const std::vector<float>& logits : bench::kRows) {
        const double ms = bench::best_milliseconds(c, logits, mask, 60);
        std::printf("  %8.3f (%5.1f%%)", ms, 100 * ms / bench::kLimit);
      }
      std::printf("\n");
    }
  }
  return 0;
}
