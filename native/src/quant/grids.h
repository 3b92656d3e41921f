// The code books of the IQ formats: an index stands for a group of 4 or 8 values.
#pragma once

#include <cstdint>

namespace nt {

// Byte i of an entry, the lowest first, is value i of the group. IQ2 and IQ3 hold magnitudes, whose signs are stored
// in the block: 8, 25, 43 (IQ2), 4, 12, …, 52, 62 (IQ3_XXS), 1, 3, …, 15 (IQ3_S). IQ1 holds −1, 0, 1 as int8.
struct alignas(64) Grids {
  uint64_t iq2_xxs[256];
  uint64_t iq2_xs[512];
  uint64_t iq2_s[1024];
  uint64_t iq1[2048];  // of IQ1_S and IQ1_M
  uint32_t iq3_xxs[256];
  uint32_t iq3_s[512];
};
static_assert(sizeof(Grids) == 3840 * 8 + 768 * 4);  // each table begins a cache line

extern const Grids kGrids;

// The levels of IQ4_NL and IQ4_XS.
constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

}  // namespace nt
