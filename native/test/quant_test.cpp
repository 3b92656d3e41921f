// The formats against their own contract; scripts/oracle/test_quant.py holds them against gguf-py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "quant/all.h"
#include "quant/grids.h"

namespace {

constexpr int kBlocks = 2000;

uint32_t float_bits(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return u;
}

bool same(float a, float b) { return float_bits(a) == float_bits(b) || (std::isnan(a) && std::isnan(b)); }

// IEEE 754 binary16, from its definition.
void test_half() {
  for (unsigned h = 0; h < 65536; ++h) {
    const int exponent = h >> 10 & 31, mantissa = h & 1023;
    const float f = nt::half_to_float(static_cast<uint16_t>(h));
    CHECK_EQ(std::signbit(f), (h & 0x8000) != 0);
    if (exponent == 31 && mantissa != 0) {
      CHECK(std::isnan(f));
      CHECK_EQ(float_bits(f) & 0x7fffff, static_cast<uint32_t>(mantissa) << 13);
    } else if (exponent == 31) {
      CHECK(std::isinf(f));
    } else {
      const int significand = exponent == 0 ? mantissa : mantissa + 1024;
      CHECK_EQ(std::fabs(static_cast<double>(f)), std::ldexp(significand, std::max(exponent, 1) - 25));
    }
  }
}

void test_row(const char* name, int32_t id, int values, int bytes) {
  const nt::FormatInfo* format = nt::find_format(id);
  if (format == nullptr) return test::fail(__FILE__, __LINE__, std::string(name) + " is not found");
  CHECK_EQ(format->name, std::string_view(name));
  CHECK_EQ(format->values, values);
  CHECK_EQ(format->bytes, bytes);
}

void test_rows() {
#define X(name, id, values, bytes) test_row(#name, id, values, bytes);
  NT_FORMATS(X)
#undef X
  for (int32_t id : {-1, 4, 5, 9, 15, 24, nt::kFormatLimit, INT32_MAX, INT32_MIN})
    CHECK(nt::find_format(id) == nullptr);
  CHECK_EQ(nt::row_bytes(nt::Format::Q4_K, 512), size_t{288});
  CHECK_EQ(nt::row_bytes(nt::Format::F16, 5), size_t{10});
  CHECK(!nt::info(nt::Format::BF16).quantized && nt::info(nt::Format::IQ1_M).quantized);
}

// What kernels rely on: the range of q and the formula, on blocks of random bytes at an odd address.
template <class F>
void test_format(nt::Format format) {
  const nt::FormatInfo& info = nt::info(format);
  std::mt19937 random(static_cast<unsigned>(format));
  std::vector<uint8_t> memory(1 + kBlocks * sizeof(typename F::Block));
  for (uint8_t& byte : memory) byte = static_cast<uint8_t>(random());
  const auto* blocks = reinterpret_cast<const typename F::Block*>(memory.data() + 1);
  std::vector<float> decoded(static_cast<size_t>(kBlocks) * F::kValues);
  nt::decode(format, blocks, decoded.size(), decoded.data());

  int8_t q[F::kValues];
  float scale[F::kValues / F::kSub], min[F::kValues / F::kSub] = {};
  int lowest = 127, highest = -128, differences = 0;
  for (int i = 0; i < kBlocks; ++i) {
    F::unpack(blocks[i], q, scale, min);
    for (int j = 0; j < F::kValues; ++j) {
      lowest = std::min<int>(lowest, q[j]);
      highest = std::max<int>(highest, q[j]);
      float value = scale[j / F::kSub] * static_cast<float>(q[j]);
      if (F::kHasMin) value -= min[j / F::kSub];
      differences += !same(value, decoded[static_cast<size_t>(i) * F::kValues + j]);
    }
  }
  if (differences != 0) test::fail(__FILE__, __LINE__, std::string(info.name) + ": decode is not scale · q - min");
  // The bias is the power of two that the lowest q needs, so no smaller one would do.
  const bool fits = F::kBias == 0 ? lowest == 0 : lowest >= -F::kBias && lowest < -F::kBias / 2;
  if (!fits || highest + F::kBias > 255 || (F::kHasMin && F::kBias != 0)) {
    test::fail(__FILE__, __LINE__, nt::format("%s: q in [%d, %d], bias %d", info.name, lowest, highest, F::kBias));
  }
}

void test_formats() {
#define X(name, id, values, bytes) test_format<nt::name>(nt::Format::name);
  NT_QUANTIZED_FORMATS(X)
#undef X
}

void test_sign_pattern() {
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned pattern = nt::sign_pattern(i);
    int ones = 0;
    for (int bit = 0; bit < 8; ++bit) ones += pattern >> bit & 1;
    CHECK_EQ(pattern & 127, i);
    CHECK_EQ(ones % 2, 0);
  }
}

// A code book holds its levels only, and no group twice.
template <class Entry, size_t N>
void test_grid(const Entry (&grid)[N], std::vector<int> levels) {
  CHECK_EQ(reinterpret_cast<uintptr_t>(grid) % 64, uintptr_t{0});
  std::vector<int> seen;
  for (Entry entry : grid) {
    for (size_t i = 0; i < sizeof(Entry); ++i) seen.push_back(static_cast<int8_t>(entry >> 8 * i & 255));
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  CHECK(seen == levels);
  std::vector<Entry> entries(grid, grid + N);
  std::sort(entries.begin(), entries.end());
  CHECK(std::adjacent_find(entries.begin(), entries.end()) == entries.end());
}

void test_grids() {
  test_grid(nt::kGrids.iq2_xxs, {8, 25, 43});
  test_grid(nt::kGrids.iq2_xs, {8, 25, 43});
  test_grid(nt::kGrids.iq2_s, {8, 25, 43});
  test_grid(nt::kGrids.iq1, {-1, 0, 1});
  test_grid(nt::kGrids.iq3_xxs, {4, 12, 20, 28, 36, 44, 52, 62});
  test_grid(nt::kGrids.iq3_s, {1, 3, 5, 7, 9, 11, 13, 15});
}

}  // namespace

int main() {
  test_half();
  test_rows();
  test_formats();
  test_sign_pattern();
  test_grids();
  return test::result();
}
