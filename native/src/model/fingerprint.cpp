#include "model/fingerprint.h"

#include <algorithm>

namespace nt {
namespace {

constexpr uint64_t kSampleBytes = 4096;

// FNV-1a: https://datatracker.ietf.org/doc/draft-eastlake-fnv/
class Fnv {
 public:
  void add(const uint8_t* data, uint64_t n) {
    for (uint64_t i = 0; i < n; ++i) hash_ = (hash_ ^ data[i]) * 0x100000001b3;
  }
  void add(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) hash_ = (hash_ ^ (value >> shift & 0xff)) * 0x100000001b3;
  }
  // With its length, so that no two lists of texts are alike.
  void add(std::string_view text) {
    add(text.size());
    add(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace

uint64_t fingerprint(const GgufFile& file) {
  Fnv fnv;
  fnv.add(file.file_bytes());
  for (const MetadataEntry& e : file.metadata()) {
    fnv.add(e.key);
    fnv.add(static_cast<uint64_t>(e.type));
    fnv.add(static_cast<uint64_t>(e.element_type));
    fnv.add(e.bytes);
    fnv.add(e.data, e.bytes);
  }
  for (const TensorEntry& t : file.tensors()) {
    fnv.add(t.name);
    fnv.add(static_cast<uint64_t>(t.format));
    for (int64_t n : t.shape) fnv.add(static_cast<uint64_t>(n));
    const uint64_t n = std::min(kSampleBytes, t.bytes);
    for (uint64_t start : {uint64_t{0}, (t.bytes - n) / 2, t.bytes - n}) fnv.add(t.data + start, n);
  }
  return fnv.hash();
}

}  // namespace nt
