// AVX-512 VBMI, as Ice Lake and Zen 4 have it: byte permutations look up the code book of IQ2_XXS.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {
namespace {

struct Iq2XxsBytes : IQ2_XXS {};

// Tables of a byte for each of 256 indices, which are four vectors; 128 are two.
struct alignas(64) Tables {
  uint8_t code[2][256];    // values 0–3 and 4–7 of a group, two bits each
  uint8_t sign[128];       // all eight signs from seven
  uint8_t level[64];       // biased, from a number in bits 0–1 and a sign in bit 2
  uint64_t number_bit[4];  // where the numbers of four values begin, of byte g of each dword
  uint64_t sign_bit[8];    // where two bits below the signs of values 4i … 4i + 3 of a sub-block lie
  uint64_t seven_bit;      // where each seven bits of signs begin
};

constexpr Tables make_tables() {
  Tables t{};
  for (int i = 0; i < 256; ++i) {
    t.code[0][i] = static_cast<uint8_t>(codes::iq2_xxs[i]);
    t.code[1][i] = static_cast<uint8_t>(codes::iq2_xxs[i] >> 8);
  }
  for (int i = 0; i < 128; ++i) {
    int parity = 0;
    for (int b = 0; b < 7; ++b) parity ^= i >> b & 1;
    t.sign[i] = static_cast<uint8_t>(i | parity << 7);
  }
  for (int i = 0; i < 64; ++i) {
    const int level = i % 4 < 3 ? codes::iq2_xxs_levels[i % 4] : 0;
    t.level[i] = static_cast<uint8_t>(IQ2_XXS::kBias + (i >> 2 & 1 ? -level : level));
  }
  for (int byte = 0; byte < 8; ++byte) {  // of a quadword: two rows of four values
    const int row = byte / 4 * 32, value = byte % 4;
    const auto set = [&](uint64_t& word, int bit) { word |= static_cast<uint64_t>((row + bit) & 63) << 8 * byte; };
    for (int g = 0; g < 4; ++g) set(t.number_bit[g], 8 * g + 2 * value);
    for (int i = 0; i < 8; ++i) set(t.sign_bit[i], 4 * i + value - 2);
    set(t.seven_bit, 7 * value);
  }
  return t;
}

constexpr Tables kTables = make_tables();

// Eight bits from bit `from` of each quadword on, around its end, for each of its bytes.
inline V take_bits(V v, uint64_t from) {
  return _mm512_multishift_epi64_epi8(_mm512_set1_epi64(static_cast<int64_t>(from)), v);
}

// 128 entries; the index's upper bit counts for nothing.
inline V look_up_128(const uint8_t* table, V index) {
  return _mm512_permutex2var_epi8(load(table), index, load(table + 64));
}

inline V look_up_256(const uint8_t* table, V index) {
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), look_up_128(table, index), look_up_128(table + 128, index));
}

template <>
struct Unpack<Iq2XxsBytes> {
  static constexpr int kTogether = 1, kDirect = 8;
  Rows rows;
  WeightTile* tile;
  __m512 d;

  Unpack(Rows r, int, WeightTile* t) : rows(r), tile(t), d(_mm512_mul_ps(load_half(r), _mm512_set1_ps(0.25f))) {}

  template <class Sink>
  NT_INLINE void sub_block(V index, V signs_scale, int j, Sink& sink) const {
    const __m512 s = _mm512_cvtepi32_ps(_mm512_srli_epi32(signs_scale, 28));
    _mm512_store_ps(tile->scale[j], _mm512_mul_ps(d, _mm512_add_ps(_mm512_set1_ps(0.5f), s)));
    const V numbers[2] = {look_up_256(kTables.code[0], index), look_up_256(kTables.code[1], index)};
    const V signs = look_up_128(kTables.sign, take_bits(signs_scale, kTables.seven_bit));
    NT_UNROLL
    for (int i = 0; i < 8; ++i) {
      const V number = take_bits(numbers[i % 2], kTables.number_bit[i / 2]);
      const V sign = take_bits(signs, kTables.sign_bit[i]);
      // The number's lower two bits, the sign's others: of six, those that the table does not look at may be any.
      const V both = _mm512_ternarylogic_epi32(number, sign, bytes(3), 0xe4);
      sink.put(8 * j, i, _mm512_permutexvar_epi8(both, load(kTables.level)));
    }
    sink.finish(8 * j);
  }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int j = 0; j < 8; j += 2) {
      V v[4];
      load_16_bytes(rows.at(2 + 8 * static_cast<size_t>(j)), v);
      sub_block(v[0], v[1], j, sink);
      sub_block(v[2], v[3], j + 1, sink);
    }
  }
};

}  // namespace

void init_avx512_vbmi(Kernels& k) { k.matmul[static_cast<int>(Format::IQ2_XXS)] = matmul<Iq2XxsBytes>; }

}  // namespace nt::cpu
#endif
