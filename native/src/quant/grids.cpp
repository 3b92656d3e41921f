#include "quant/grids.h"

#include "quant/grid_codes.h"

namespace nt {
namespace {

// A code holds a group's values as 16 / N bits each, the lowest first, which number the levels.
template <int N, class Entry, int Count, int Levels>
constexpr void expand(const uint16_t (&codes)[Count], const int (&levels)[Levels], Entry (&grid)[Count]) {
  for (int e = 0; e < Count; ++e) {
    for (int i = 0; i < N; ++i) {
      const int level = levels[codes[e] >> 16 / N * i & ((1 << 16 / N) - 1)];
      grid[e] |= static_cast<Entry>(level & 255) << 8 * i;
    }
  }
}

constexpr Grids expand_grids() {
  Grids g = {};
  expand<8>(codes::iq2_xxs, codes::iq2_xxs_levels, g.iq2_xxs);
  expand<8>(codes::iq2_xs, codes::iq2_xs_levels, g.iq2_xs);
  expand<8>(codes::iq2_s, codes::iq2_s_levels, g.iq2_s);
  expand<8>(codes::iq1, codes::iq1_levels, g.iq1);
  expand<4>(codes::iq3_xxs, codes::iq3_xxs_levels, g.iq3_xxs);
  expand<4>(codes::iq3_s, codes::iq3_s_levels, g.iq3_s);
  return g;
}

}  // namespace

constexpr Grids kGrids = expand_grids();

}  // namespace nt
