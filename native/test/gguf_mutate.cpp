// Runs the parser's fuzz target without a fuzzer: the corpus as it is, every truncation of its smaller files, and
// mutated headers. The same sequence on every run. Meant for a build with sanitizers.
//   gguf_mutate FOLDER [MUTATIONS]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "gguf/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

// A field of a header: what a mutation aims at.
struct Field {
  size_t offset;
  size_t bytes;
};

struct Seed {
  Bytes bytes;
  std::vector<Field> fields;
  size_t header_bytes = 0;
};

void run(const Bytes& bytes) {
  // A copy of exactly this size, so that AddressSanitizer sees a read of one byte more.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), bytes.size());
}

void add_key_fields(const nt::MetadataEntry& entry, const uint8_t* begin, std::vector<Field>* fields) {
  const size_t key = static_cast<size_t>(entry.offset);
  const size_t type = key + 8 + entry.key.size();
  const size_t value = static_cast<size_t>(entry.data - begin);
  fields->push_back({key, 8});
  fields->push_back({key + 8, entry.key.size()});
  fields->push_back({type, 4});
  if (entry.type == NT_KV_ARRAY) {
    fields->push_back({type + 4, 4});
    fields->push_back({type + 8, 8});
  }
  // The start of the value: a number, a string's length, or those of the first element.
  fields->push_back({value, static_cast<size_t>(std::min<uint64_t>(entry.bytes, 8))});
  if (entry.bytes >= 12) fields->push_back({value + 4, 8});
}

void add_tensor_fields(const nt::TensorEntry& t, std::vector<Field>* fields) {
  size_t at = static_cast<size_t>(t.info_offset);
  fields->push_back({at, 8});
  fields->push_back({at + 8, t.name.size()});
  at += 8 + t.name.size();
  fields->push_back({at, 4});
  at += 4;
  for (int32_t i = 0; i < t.n_dims; ++i, at += 8) fields->push_back({at, 8});
  fields->push_back({at, 4});
  fields->push_back({at + 4, 8});
}

Seed describe(Bytes bytes) {
  Seed seed;
  seed.bytes = std::move(bytes);
  seed.header_bytes = seed.bytes.size();
  seed.fields = {{0, 4}, {4, 4}, {8, 8}, {16, 8}};
  try {
    const auto file = nt::GgufFile::parse(seed.bytes.data(), seed.bytes.size());
    for (const nt::MetadataEntry& entry : file->metadata()) add_key_fields(entry, seed.bytes.data(), &seed.fields);
    for (const nt::TensorEntry& tensor : file->tensors()) {
      add_tensor_fields(tensor, &seed.fields);
      seed.header_bytes = std::min(seed.header_bytes, static_cast<size_t>(tensor.offset));
    }
  } catch (const nt::Error&) {
    // A seed that is refused is still mutated, as far as its fixed fields go.
  }
  return seed;
}

class Mutator {
 public:
  Bytes mutate(const Seed& seed) {
    Bytes bytes = seed.bytes;
    const uint64_t n = 1 + below(3);
    for (uint64_t i = 0; i < n && !bytes.empty(); ++i) change(seed, &bytes);
    return bytes;
  }

  uint64_t below(uint64_t n) { return random_() % n; }

 private:
  void change(const Seed& seed, Bytes* bytes) {
    switch (below(8)) {
      case 0:
        bytes->resize(below(seed.header_bytes + 1));
        break;
      case 1:
        (*bytes)[below(std::min(bytes->size(), seed.header_bytes))] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 2:
        copy_field(seed, bytes);
        break;
      default:
        set_field(seed.fields[below(seed.fields.size())], bytes);
    }
  }

  // Values at which a check may be off by one or overflow.
  void set_field(Field field, Bytes* bytes) {
    const size_t n = std::min<size_t>(field.bytes, 8);
    if (field.offset + n > bytes->size()) return;
    uint64_t value = 0;
    std::memcpy(&value, bytes->data() + field.offset, n);
    switch (below(6)) {
      case 0:
        value += below(17) - 8;
        break;
      case 1:
        value = uint64_t{1} << below(64);
        break;
      case 2:
        value = (uint64_t{1} << below(64)) - 1;
        break;
      case 3:
        value = bytes->size() - below(64);
        break;
      case 4:
        value = below(48);
        break;
      default:
        value = 0 - below(64);
    }
    std::memcpy(bytes->data() + field.offset, &value, n);
  }

  // One field over another: names that occur twice, a length where a type should be.
  void copy_field(const Seed& seed, Bytes* bytes) {
    const Field from = seed.fields[below(seed.fields.size())], to = seed.fields[below(seed.fields.size())];
    const size_t n = from.bytes;
    if (std::max(from.offset, to.offset) + n <= bytes->size()) {
      std::memmove(bytes->data() + to.offset, bytes->data() + from.offset, n);
    }
  }

  std::mt19937_64 random_{20240718};
};

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const long mutations = argc > 2 ? std::atol(argv[2]) : 10000;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Seed> seeds;
  for (const auto& path : paths) seeds.push_back(describe(read_file(path)));
  if (seeds.empty()) return 2;

  long truncations = 0;
  for (const Seed& seed : seeds) {
    run(seed.bytes);
    for (size_t n = 0; n < seed.bytes.size() && seed.bytes.size() <= 2048; ++n, ++truncations) {
      run(Bytes(seed.bytes.begin(), seed.bytes.begin() + static_cast<std::ptrdiff_t>(n)));
    }
  }
  Mutator mutator;
  for (long i = 0; i < mutations; ++i) run(mutator.mutate(seeds[mutator.below(seeds.size())]));
  std::printf("%zu seeds, %ld truncations, %ld mutations\n", seeds.size(), truncations, mutations);
}
