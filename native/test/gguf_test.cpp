// The GGUF parser against gguf-py's reader, and against every kind of malformed file.
//   gguf_test CORPUS EXPECTED
#include "gguf/gguf.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "check.h"
#include "gguf/access.h"
#include "gguf_writer.h"

namespace {

namespace fs = std::filesystem;
using nt::FileAccess;
using nt::GgufFile;
using test::GgufWriter;

constexpr uint32_t kF32 = 0, kQ4_K = 12;

std::shared_ptr<const GgufFile> parse(const std::string& bytes) {
  return GgufFile::parse(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

// Parsing fails at this offset, with this text in the message.
void refuse(int line, const std::string& bytes, int64_t offset, std::string_view text) {
  try {
    parse(bytes);
    test::fail(__FILE__, line, "nothing was thrown");
  } catch (const nt::Error& e) {
    if (e.status != NT_FORMAT || e.offset != offset || e.message.find(text) == std::string::npos) {
      test::fail(__FILE__, line,
                 nt::format("status %d, offset %" PRId64 ", \"%s\"", e.status, e.offset, e.message.c_str()));
    }
  }
}
#define REFUSE(bytes, offset, text) refuse(__LINE__, bytes, static_cast<int64_t>(offset), text)

// ------------------------------------------------------------------------------------- gguf-py's reader as oracle

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 32 && byte < 127 && byte != '"' && byte != '\\';
    out += plain ? std::string(1, c) : nt::format("\\x%02x", byte);
  }
  return out + "\"";
}

template <class T>
T take(const uint8_t** p) {
  T value;
  std::memcpy(&value, *p, sizeof value);
  *p += sizeof value;
  return value;
}

// One value of a type; an array gives its innermost elements.
void describe_value(int32_t type, const uint8_t** p, std::string* types, std::string* out) {
  switch (type) {
    case NT_KV_STRING:
      *out += " " + literal(nt::next_string(p));
      break;
    case NT_KV_ARRAY: {
      const int32_t element = take<int32_t>(p);
      const uint64_t n = take<uint64_t>(p);
      std::string inner;
      for (uint64_t i = 0; i < n; ++i) {
        inner.clear();
        describe_value(element, p, &inner, out);
      }
      *types = std::string(" ") + nt::value_type_name(element) + inner;
      break;
    }
    case NT_KV_FLOAT32:
      *out += nt::format(" 0x%08" PRIx32, take<uint32_t>(p));
      break;
    case NT_KV_FLOAT64:
      *out += nt::format(" 0x%016" PRIx64, take<uint64_t>(p));
      break;
    case NT_KV_UINT8:
    case NT_KV_BOOL:
      *out += nt::format(" %d", take<uint8_t>(p));
      break;
    case NT_KV_INT8:
      *out += nt::format(" %d", take<int8_t>(p));
      break;
    case NT_KV_UINT16:
      *out += nt::format(" %d", take<uint16_t>(p));
      break;
    case NT_KV_INT16:
      *out += nt::format(" %d", take<int16_t>(p));
      break;
    case NT_KV_UINT32:
      *out += nt::format(" %" PRIu32, take<uint32_t>(p));
      break;
    case NT_KV_INT32:
      *out += nt::format(" %" PRId32, take<int32_t>(p));
      break;
    case NT_KV_UINT64:
      *out += nt::format(" %" PRIu64, take<uint64_t>(p));
      break;
    case NT_KV_INT64:
      *out += nt::format(" %" PRId64, take<int64_t>(p));
      break;
    default:
      *out += " ?";
  }
}

// As gguf_seeds.py writes it.
std::string describe(const GgufFile& file) {
  std::string out = nt::format("version %u\nalignment %" PRIu64 "\n", file.version(), file.alignment());
  for (const nt::MetadataEntry& entry : file.metadata()) {
    const bool array = entry.type == NT_KV_ARRAY;
    std::string types, values;
    const uint8_t* p = entry.data;
    for (uint64_t i = 0; i < entry.count; ++i) {
      types.clear();
      describe_value(array ? entry.element_type : entry.type, &p, &types, &values);
    }
    CHECK(p == entry.data + entry.bytes);
    if (array) types = std::string(" ") + nt::value_type_name(entry.element_type) + types;
    out += "key " + std::string(entry.key) + " " + nt::value_type_name(entry.type) + types + values + "\n";
  }
  for (const nt::TensorEntry& t : file.tensors()) {
    std::string shape;
    for (int32_t i = 0; i < t.n_dims; ++i) shape += nt::format("%s%" PRId64, i ? " " : "", t.shape[i]);
    out += "tensor " + std::string(t.name) + " " + nt::info(t.format).name + " (" + shape +
           nt::format(") part %d at %" PRIu64 ", %" PRIu64 "\n", t.part, t.offset, t.bytes);
  }
  return out;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void test_oracle(const fs::path& corpus, const fs::path& expected) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(expected)) {
    const fs::path seed = corpus / entry.path().stem();
    for (const FileAccess access : {FileAccess::kMap, FileAccess::kCopy})
      CHECK_EQ(describe(*GgufFile::open(seed, access)), read_file(entry.path()));
    ++n;
  }
  CHECK_EQ(n, 7);

  // F32 rows are the file's bytes.
  const std::string bytes = read_file(corpus / "every_format.gguf");
  const auto file = parse(bytes);
  const nt::TensorEntry* t = file->find_tensor("one");
  CHECK(t != nullptr);
  float row[7];
  nt::decode_rows(*t, 0, 1, row, 7);
  CHECK(std::memcmp(row, bytes.data() + t->offset, sizeof row) == 0);

  REFUSE(read_file(corpus / "refused_big_endian.gguf"), 4, "big-endian");
  CHECK_THROWS(GgufFile::open(corpus / "refused_mxfp4.gguf", FileAccess::kMap), NT_FORMAT,
               "tensor \"t\": tensor type 39 (MXFP4) is not supported; supported are F32, F16, Q4_0");
  CHECK_THROWS(GgufFile::open(corpus / "refused_i32.gguf", FileAccess::kMap), NT_FORMAT, "tensor type 26 (I32)");
}

// ---------------------------------------------------------------------------------------------------- well-formed

void test_numbers() {
  GgufWriter w;
  w.key("u8", NT_KV_UINT8, GgufWriter::value<uint8_t>(200));
  w.key("i8", NT_KV_INT8, GgufWriter::value<int8_t>(-1));
  w.key("i16", NT_KV_INT16, GgufWriter::value<int16_t>(300));
  w.u16("u16", 65535).u32("u32", UINT32_MAX).key("i32", NT_KV_INT32, GgufWriter::value<int32_t>(7));
  w.key("u64", NT_KV_UINT64, GgufWriter::value<uint64_t>(UINT64_MAX));
  w.key("i64", NT_KV_INT64, GgufWriter::value<int64_t>(INT64_MIN));
  w.key("f32", NT_KV_FLOAT32, GgufWriter::value(0.5f));
  w.key("f64", NT_KV_FLOAT64, GgufWriter::value(1e300));
  w.key("bool", NT_KV_BOOL, GgufWriter::value<uint8_t>(1));
  const size_t string_key = w.size();
  w.key("string", NT_KV_STRING, GgufWriter::string("text"));
  const std::string bytes = w.bytes();
  const auto file = parse(bytes);
  uint64_t u = 0;
  double d = 0;
  bool b = false;
  std::string_view s;
  CHECK(file->get("u8", &u));
  CHECK_EQ(u, 200);
  CHECK(file->get("i16", &u));
  CHECK_EQ(u, 300);
  CHECK(file->get("u16", &u));
  CHECK_EQ(u, 65535);
  CHECK(file->get("u32", &u));
  CHECK_EQ(u, UINT32_MAX);
  CHECK(file->get("i32", &u));
  CHECK_EQ(u, 7);
  CHECK(file->get("u64", &u));
  CHECK_EQ(u, UINT64_MAX);
  CHECK(file->get("i8", &d));
  CHECK_EQ(d, -1.0);
  CHECK(file->get("i64", &d));
  CHECK_EQ(d, -9223372036854775808.0);
  CHECK(file->get("f32", &d));
  CHECK_EQ(d, 0.5);
  CHECK(file->get("f64", &d));
  CHECK_EQ(d, 1e300);
  CHECK(file->get("bool", &b));
  CHECK(b);
  CHECK(file->get("string", &s));
  CHECK_EQ(s, "text");
  CHECK(!file->get("absent", &u));
  CHECK(file->find("absent") == nullptr);
  CHECK_THROWS(file->get("i8", &u), NT_FORMAT, "key \"i8\": -1, where 0 or more is wanted");
  CHECK_THROWS(file->get("i64", &u), NT_FORMAT, "-9223372036854775808");
  CHECK_THROWS(file->get("string", &u), NT_FORMAT, "a value of type STRING, where an integer is wanted");
  CHECK_THROWS(file->get("string", &d), NT_FORMAT, "a number");
  CHECK_THROWS(file->get("u8", &b), NT_FORMAT, "where BOOL is wanted");
  CHECK_THROWS(file->get("u8", &s), NT_FORMAT, "where STRING is wanted");
  CHECK_EQ(file->find("string")->offset, string_key);
}

// The smallest files, in both versions.
void test_small() {
  for (const uint32_t version : {2u, 3u}) {
    GgufWriter w;
    w.version = version;
    CHECK_EQ(w.bytes().size(), 24);
    CHECK_EQ(parse(w.bytes())->version(), version);
    w.tensor("scalar", {}, kF32, 0).tensor("vector", {2}, kF32, 32).data(40);
    const std::string bytes = w.bytes();
    const auto file = parse(bytes);
    CHECK_EQ(file->tensors().size(), 2);
    CHECK_EQ(file->tensors()[0].bytes, 4);
    CHECK_EQ(file->tensors()[0].n_rows(), 1);
    CHECK_EQ(file->tensors()[1].offset, bytes.size() - 8);
    CHECK(file->tensors()[1].data == reinterpret_cast<const uint8_t*>(bytes.data()) + bytes.size() - 8);
    CHECK_EQ(file->n_parts(), 1);
    CHECK_EQ(file->file_bytes(), bytes.size());
  }
}

void test_alignment() {
  for (const uint32_t alignment : {8u, 24u, 64u, 4096u}) {
    GgufWriter w;
    w.alignment = alignment;
    w.u32("general.alignment", alignment).tensor("a", {1}, kF32, 0).tensor("b", {1}, kF32, alignment);
    w.data(alignment + 4);
    const auto file = parse(w.bytes());
    CHECK_EQ(file->alignment(), alignment);
    CHECK_EQ(file->tensors()[0].offset % alignment, 0);
    CHECK_EQ(file->tensors()[1].offset, w.bytes().size() - 4);
  }
  for (const uint32_t alignment : {0u, 1u, 4u, 12u}) {
    REFUSE(GgufWriter().u32("general.alignment", alignment).bytes(), 24, "is not a positive multiple of 8");
  }
  REFUSE(GgufWriter().u16("general.alignment", 32).bytes(), 24, "a value of type UINT16; it must be UINT32");
}

// Empty arrays, which gguf-py does not write, and arrays in arrays.
void test_arrays() {
  const std::string empty = GgufWriter::array(NT_KV_FLOAT64, 0, "");
  std::string deep = empty;
  for (int i = 0; i < 7; ++i) deep = GgufWriter::array(NT_KV_ARRAY, 1, deep);
  GgufWriter w;
  w.key("empty", NT_KV_ARRAY, empty).key("deep", NT_KV_ARRAY, deep);
  w.key("two", NT_KV_ARRAY, GgufWriter::array(NT_KV_ARRAY, 2, empty + empty));
  const std::string bytes = w.bytes();
  const auto file = parse(bytes);
  CHECK_EQ(file->find("empty")->count, 0);
  CHECK_EQ(file->find("empty")->bytes, 0);
  CHECK_EQ(file->find("empty")->element_type, NT_KV_FLOAT64);
  CHECK_EQ(file->find("deep")->element_type, NT_KV_ARRAY);
  CHECK_EQ(file->find("two")->count, 2);
  CHECK_EQ(file->find("two")->bytes, 24);

  const std::string deeper = GgufWriter().key("k", NT_KV_ARRAY, GgufWriter::array(NT_KV_ARRAY, 1, deep)).bytes();
  REFUSE(deeper, deeper.size() - 12, "key \"k\": arrays nested more than 8 deep");
}

// -------------------------------------------------------------------------------------------------- copies

void test_copy_strings() {
  GgufWriter w;
  w.key("s", NT_KV_ARRAY,
        GgufWriter::array(NT_KV_STRING, 3,
                          GgufWriter::string("ab") + GgufWriter::string("") + GgufWriter::string("cde")));
  w.key("n", NT_KV_ARRAY, GgufWriter::array(NT_KV_UINT8, 1, "x"));
  w.key("none", NT_KV_ARRAY, GgufWriter::array(NT_KV_STRING, 0, ""));
  const std::string bytes = w.bytes();
  const auto file = parse(bytes);
  const nt::MetadataEntry& s = *file->find("s");
  int32_t offsets[4] = {-1, -1, -1, -1};
  uint8_t text[5] = {};
  CHECK_THROWS(nt::copy_strings(s, text, 4, offsets, 4), NT_INVALID_ARGUMENT, "5 bytes is needed");
  CHECK_THROWS(nt::copy_strings(s, text, 5, offsets, 3), NT_INVALID_ARGUMENT, "4 offsets is needed");
  CHECK_THROWS(nt::copy_strings(s, nullptr, 5, offsets, 4), NT_INVALID_ARGUMENT, "5 bytes is needed");
  CHECK_THROWS(nt::copy_strings(s, text, -1, offsets, 4), NT_INVALID_ARGUMENT, "5 bytes is needed");
  CHECK_THROWS(nt::copy_strings(*file->find("n"), text, 5, offsets, 4), NT_INVALID_ARGUMENT, "no array of strings");
  CHECK_EQ(offsets[0], -1);
  CHECK_EQ(text[0], 0);
  nt::copy_strings(s, nullptr, 0, offsets, 4);
  CHECK(offsets[0] == 0 && offsets[1] == 2 && offsets[2] == 2 && offsets[3] == 5);
  CHECK_EQ(text[0], 0);
  nt::copy_strings(s, text, 5, offsets, 4);
  CHECK(std::memcmp(text, "abcde", 5) == 0);
  nt::copy_strings(*file->find("none"), nullptr, 0, offsets, 1);
  CHECK_EQ(offsets[0], 0);

  // Refused for its size before any of it is read.
  nt::MetadataEntry large = s;
  large.bytes = uint64_t{1} << 32;
  CHECK_THROWS(nt::copy_strings(large, nullptr, 0, offsets, 4), NT_UNSUPPORTED, "at most 2 GiB");
}

void test_decode_rows() {
  // Row r, column c of outer index o holds 100·o + 10·r + c.
  GgufWriter w;
  w.tensor("t", {2, 3, 2}, kF32, 0).data(48);
  std::string bytes = w.bytes();
  for (int i = 0; i < 12; ++i) {
    const float v = static_cast<float>(100 * (i / 6) + 10 * (i / 2 % 3) + i % 2);
    std::memcpy(bytes.data() + bytes.size() - 48 + 4 * i, &v, 4);
  }
  const auto file = parse(bytes);
  const nt::TensorEntry& t = file->tensors()[0];
  float out[4] = {};
  nt::decode_rows(t, 2, 2, out, 4);
  CHECK(out[0] == 20 && out[1] == 21 && out[2] == 100 && out[3] == 101);
  nt::decode_rows(t, 6, 0, nullptr, 0);
  CHECK_THROWS(nt::decode_rows(t, 0, 3, out, 4), NT_INVALID_ARGUMENT, "6 floats is needed, and there is room for 4");
  CHECK_THROWS(nt::decode_rows(t, 0, 1, nullptr, 4), NT_INVALID_ARGUMENT, "2 floats");
  CHECK_THROWS(nt::decode_rows(t, 5, 2, out, 4), NT_INVALID_ARGUMENT, "tensor \"t\", which has 6");
  CHECK_THROWS(nt::decode_rows(t, -1, 1, out, 4), NT_INVALID_ARGUMENT, "which has 6");
  CHECK_THROWS(nt::decode_rows(t, 0, INT64_MAX, out, INT64_MAX), NT_INVALID_ARGUMENT, "which has 6");
}

// ---------------------------------------------------------------------------------------------------- malformed

void test_malformed_start() {
  REFUSE("", 0, "the magic number takes 4 bytes, and the file ends after 0");
  REFUSE("GGU", 0, "the magic number takes 4 bytes, and the file ends after 3");
  REFUSE("PK\3\4" + std::string(40, '\0'), 0, "not a GGUF file");
  REFUSE("FUGG" + std::string(40, '\0'), 0, "big-endian");
  REFUSE("GGUF", 4, "the version takes 4 bytes");
  GgufWriter w;
  w.version = 1;
  REFUSE(w.bytes(), 4, "GGUF version 1; versions 2 and 3 are read: convert");
  w.version = 4;
  REFUSE(w.bytes(), 4, "GGUF version 4; versions 2 and 3 are read");
  w.version = 0;
  REFUSE(w.bytes(), 4, "GGUF version 0");
  w.version = 0x03000000;
  REFUSE(w.bytes(), 4, "big-endian");
}

void test_malformed_counts() {
  for (const uint64_t n : {uint64_t{1}, uint64_t{1} << 60, UINT64_MAX}) {
    GgufWriter keys, tensors;
    keys.claimed_keys = n;
    REFUSE(keys.bytes(), 16,
           nt::format("the header claims %" PRIu64 " keys; a file of 24 bytes can have at most 0", n));
    tensors.claimed_tensors = n;
    REFUSE(tensors.bytes(), 8, nt::format("the header claims %" PRIu64 " tensors", n));
  }
  // As many as the bytes allow, but the bytes are not keys.
  GgufWriter w;
  w.u32("k", 1).data(1000);
  w.claimed_keys = 60;
  REFUSE(w.bytes(), w.size(), "key number 1: a name of 0 bytes; 1 to 65535 are allowed");
}

void test_malformed_keys() {
  REFUSE(GgufWriter().key("", NT_KV_UINT32, "xxxx").bytes(), 24, "a name of 0 bytes");
  REFUSE(GgufWriter().key(std::string(65536, 'k'), NT_KV_UINT8, "x").bytes(), 24, "a name of 65536 bytes");
  CHECK_EQ(parse(GgufWriter().key(std::string(65535, 'k'), NT_KV_UINT8, "x").bytes())->metadata().size(), 1);
  REFUSE(GgufWriter().raw_key(GgufWriter::value<uint64_t>(100) + "0123456789").bytes(), 32,
         "key number 0: the name takes 100 bytes, and the file ends after 10");
  REFUSE(GgufWriter().key("k", 13, "xxxx").bytes(), 33, "key \"k\": value type 13; GGUF has types 0 to 12");
  REFUSE(GgufWriter().key("k", NT_KV_ARRAY, GgufWriter::array(99, 0, "")).bytes(), 37, "value type 99");
  REFUSE(GgufWriter().key("k", NT_KV_BOOL, "\2").bytes(), 37, "a boolean of value 2; 0 and 1 are allowed");
  REFUSE(GgufWriter().key("k", NT_KV_ARRAY, GgufWriter::array(NT_KV_BOOL, 3, std::string("\0\1\7", 3))).bytes(), 51,
         "a boolean of value 7");
  REFUSE(GgufWriter().u32("k", 1).u32("other", 1).u32("k", 2).bytes(), 24 + 17 + 21, "key \"k\" occurs twice");
  REFUSE(GgufWriter().key("\xffk\n", 13, "").bytes(), 35, "key \"\\xffk\\x0a\": value type 13");
}

void test_malformed_values() {
  const uint64_t huge = uint64_t{1} << 61;  // · 8 overflows
  for (const uint64_t n : {uint64_t{3}, huge, UINT64_MAX}) {
    for (const uint32_t type : {NT_KV_UINT64, NT_KV_STRING, NT_KV_ARRAY}) {
      REFUSE(GgufWriter().key("k", NT_KV_ARRAY, GgufWriter::array(type, n, std::string(16, '\0'))).bytes(), 49,
             nt::format("key \"k\": %" PRIu64 " values of type ", n));
    }
  }
  REFUSE(GgufWriter().key("k", NT_KV_STRING, GgufWriter::value<uint64_t>(UINT64_MAX) + "abc").bytes(), 45,
         "a string takes 18446744073709551615 bytes, and the file ends after 3");
  REFUSE(GgufWriter()
             .key("k", NT_KV_ARRAY,
                  GgufWriter::array(NT_KV_STRING, 2, GgufWriter::string("") + GgufWriter::value<uint64_t>(1)))
             .bytes(),
         65, "a string takes 1 bytes, and the file ends after 0");
  REFUSE(GgufWriter().key("k", NT_KV_UINT64, "1234").bytes(), 37, "1 values of type UINT64 do not fit");
}

// A file of one tensor that would be well-formed but for its record.
std::string one_tensor(const std::vector<uint64_t>& shape, uint32_t type, uint64_t offset, size_t data_bytes) {
  return GgufWriter().tensor("t", shape, type, offset).data(data_bytes).bytes();
}

void test_malformed_tensors() {
  const size_t record = 24, n_dims = record + 9, dims = n_dims + 4;
  REFUSE(one_tensor({1, 1, 1, 1, 1}, kF32, 0, 4), n_dims, "tensor \"t\": 5 dimensions; at most 4 are allowed");
  REFUSE(one_tensor({2, 0}, kF32, 0, 4), dims + 8, "dimension 1 is 0");
  REFUSE(one_tensor({uint64_t{1} << 62, 2}, kF32, 0, 4), dims + 8, "so that the number of values overflows");
  REFUSE(one_tensor({UINT64_MAX}, kF32, 0, 4), dims, "so that the number of values overflows");
  REFUSE(one_tensor({uint64_t{1} << 62}, kF32, 0, 4), record, "are more than the file of 68 bytes holds");
  REFUSE(one_tensor({100}, kQ4_K, 0, 144), record,
         "rows of 100 values, which is no multiple of the 256 values of a Q4_K block");
  REFUSE(one_tensor({128, 2}, kQ4_K, 0, 144), record, "rows of 128 values");
  REFUSE(one_tensor({}, kQ4_K, 0, 144), record, "rows of 1 values");
  for (const uint32_t type : {4u, 31u, 1000u, UINT32_MAX}) {
    REFUSE(one_tensor({32}, type, 0, 200), dims + 8, nt::format("tensor type %u (", type));
  }
  REFUSE(one_tensor({1}, kF32, 4, 40), dims + 12, "data at offset 4, which is no multiple of the alignment, 32");
  REFUSE(one_tensor({11}, kF32, 0, 40), record, "its data, 44 bytes at 64 + 0, ends after the file's 104 bytes");
  CHECK_EQ(parse(one_tensor({10}, kF32, 0, 40))->tensors().size(), 1);
  REFUSE(one_tensor({1}, kF32, 64, 64), record, "4 bytes at 64 + 64, ends after the file's 128 bytes");
  REFUSE(one_tensor({1}, kF32, UINT64_MAX - 31, 64), record, "ends after the file's 128 bytes");
  REFUSE(GgufWriter().tensor("t", {1}, kF32, 0).bytes(), 24 + 33, "the padding before the tensors' data");
  REFUSE(GgufWriter().tensor("", {1}, kF32, 0).data(4).bytes(), 24, "tensor number 0: a name of 0 bytes");
  REFUSE(GgufWriter().tensor("t", {1}, kF32, 0).tensor("t", {1}, kF32, 32).data(36).bytes(), 24 + 33,
         "tensor \"t\" occurs twice");
  REFUSE(GgufWriter().tensor("b", {1}, kF32, 32).tensor("a", {9}, kF32, 0).data(36).bytes(), 24,
         "tensor \"b\": its data at 128 overlaps that of tensor \"a\", which ends at 132");
  REFUSE(GgufWriter().tensor("a", {1}, kF32, 0).tensor("b", {1}, kF32, 0).data(4).bytes(), 24 + 33, "overlaps");
  CHECK_EQ(parse(GgufWriter().tensor("b", {1}, kF32, 64).tensor("a", {8}, kF32, 0).data(68).bytes())->tensors().size(),
           2);
}

// Every prefix of a file is refused, with an offset inside it.
void test_truncation() {
  GgufWriter w;
  w.u32("general.alignment", 32).key("s", NT_KV_STRING, GgufWriter::string("text"));
  w.key("a", NT_KV_ARRAY, GgufWriter::array(NT_KV_STRING, 1, GgufWriter::string("text")));
  w.tensor("t", {8, 2}, kF32, 0).data(64);
  const std::string bytes = w.bytes();
  CHECK_EQ(parse(bytes)->tensors().size(), 1);
  for (size_t n = 0; n < bytes.size(); ++n) {
    try {
      parse(bytes.substr(0, n));
      test::fail(__FILE__, __LINE__, nt::format("%zu bytes were taken for a whole file", n));
    } catch (const nt::Error& e) {
      CHECK_EQ(e.status, NT_FORMAT);
      CHECK(e.offset >= 0 && e.offset <= static_cast<int64_t>(n));
    }
  }
}

// --------------------------------------------------------------------------------------------------- headers alone

std::shared_ptr<const GgufFile> parse_header(const std::string& bytes) {
  return GgufFile::parse(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), FileAccess::kHeader);
}

// A prefix that has the header says what gguf-py says of the whole file; a shorter one how much is needed at least, and
// asking for that again and again leads to the header.
void test_header(const fs::path& corpus, const fs::path& expected) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(expected)) {
    const std::string bytes = read_file(corpus / entry.path().stem()), text = read_file(entry.path());
    const auto whole = parse(bytes);
    if (whole->find("split.count") != nullptr) continue;
    size_t header = 24, end = 0;
    if (!whole->metadata().empty()) {
      const nt::MetadataEntry& last = whole->metadata().back();
      header = static_cast<size_t>(last.data + last.bytes - reinterpret_cast<const uint8_t*>(bytes.data()));
    }
    if (!whole->tensors().empty()) {
      header = bytes.size();
      for (const nt::TensorEntry& t : whole->tensors()) {
        header = std::min(header, static_cast<size_t>(t.offset));
        end = std::max(end, static_cast<size_t>(t.offset + t.bytes));
      }
    }
    for (const size_t cut : {header, (header + bytes.size()) / 2, bytes.size()}) {
      const std::string prefix = bytes.substr(0, cut);
      const auto file = parse_header(prefix);
      CHECK_EQ(describe(*file), text);
      CHECK_EQ(file->file_bytes(), std::max(cut, end));
      CHECK(!file->has_data());
      for (const nt::TensorEntry& t : file->tensors()) CHECK(t.data == nullptr);
    }
    size_t rounds = 0;
    for (size_t cut = 0; cut < header; ++rounds) {
      try {
        parse_header(bytes.substr(0, cut));
        test::fail(__FILE__, __LINE__, nt::format("%zu bytes were taken for a header of %zu", cut, header));
        break;
      } catch (const nt::Error& e) {
        CHECK_EQ(e.status, NT_INCOMPLETE);
        CHECK(e.offset >= 0 && e.offset <= static_cast<int64_t>(cut));
        CHECK(e.wanted > static_cast<int64_t>(cut) && e.wanted <= static_cast<int64_t>(header));
        if (e.wanted <= static_cast<int64_t>(cut)) break;
        cut = static_cast<size_t>(e.wanted);
      }
    }
    CHECK(rounds > 0);
    for (size_t cut = 0; cut < header; ++cut)
      CHECK_THROWS(parse_header(bytes.substr(0, cut)), NT_INCOMPLETE, "are there");
    ++n;
  }
  CHECK_EQ(n, 6);
}

// What no number of further bytes could mend is malformed; so is a tensor beyond the largest file.
void test_malformed_header() {
  const auto refuse_header = [](const std::string& bytes, const char* text) {
    CHECK_THROWS(parse_header(bytes), NT_FORMAT, text);
  };
  refuse_header("PK\3\4", "not a GGUF file");
  refuse_header(GgufWriter().key("k", 13, "xxxx").bytes(), "value type 13");
  refuse_header(GgufWriter().key("k", NT_KV_STRING, GgufWriter::value<uint64_t>(UINT64_MAX)).bytes(),
                "a string takes 18446744073709551615 bytes");
  GgufWriter w;
  w.claimed_tensors = 1 << 21;
  refuse_header(w.bytes(), "the header claims 2097152 tensors");
  refuse_header(one_tensor({uint64_t{1} << 60}, kF32, 0, 4), "are more than the file");
  refuse_header(one_tensor({uint64_t{1} << 57}, kF32, uint64_t{1} << 60, 4), "ends after the file's");
  refuse_header(GgufWriter().tensor("b", {1}, kF32, 32).tensor("a", {9}, kF32, 0).data(4).bytes(), "overlaps");

  const std::string large = one_tensor({uint64_t{1} << 57}, kF32, 0, 4);
  const auto file = parse_header(large);
  CHECK_EQ(file->tensors()[0].bytes, uint64_t{1} << 59);
  CHECK_EQ(file->file_bytes(), (uint64_t{1} << 59) + large.size() - 4);
  float value;
  CHECK_THROWS(nt::decode_rows(file->tensors()[0], 0, 1, &value, 1), NT_INVALID_ARGUMENT, "for its header alone");
}

// -------------------------------------------------------------------------------------------------------- files

// A folder that is removed at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / nt::format("gguf_test.%d", static_cast<int>(::getpid()))) {
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }
  fs::path path() const { return path_; }

 private:
  fs::path path_;
};

void test_files() {
  const Folder folder;
  CHECK_THROWS(GgufFile::open(folder.path() / "absent.gguf", FileAccess::kMap), NT_IO, "cannot be opened");
  CHECK_THROWS(GgufFile::open(folder.path(), FileAccess::kMap), NT_IO, "this is a directory");
  CHECK_THROWS(GgufFile::open(std::string("a\0b", 3), FileAccess::kMap), NT_IO, "NUL");
  const std::string empty = folder.write("empty.gguf", "");
  for (const FileAccess access : {FileAccess::kMap, FileAccess::kCopy})
    CHECK_THROWS(GgufFile::open(empty, access), NT_FORMAT, "the file ends after 0");
  const fs::path fifo = folder.path() / "fifo";
  CHECK_EQ(std::system(("mkfifo " + fifo.string()).c_str()), 0);
  CHECK_THROWS(GgufFile::open(fifo, FileAccess::kMap), NT_IO, "not a regular file");

  // A copy is what the file was.
  const std::string path = folder.write("t.gguf", one_tensor({10}, kF32, 0, 40));
  const auto copy = GgufFile::open(path, FileAccess::kCopy);
  const auto map = GgufFile::open(path, FileAccess::kMap);
  map->touch(0, UINT64_MAX);
  map->touch(100, 1);
  map->touch(UINT64_MAX, UINT64_MAX);
  fs::resize_file(path, 0);
  CHECK_EQ(copy->tensors()[0].data[39], 39);
  copy->touch(0, UINT64_MAX);
}

// Linux: whether the map that an address lies in asks for large pages; true where the system has none.
bool asks_for_large_pages(const uint8_t* address) {
  if (!fs::exists("/sys/kernel/mm/transparent_hugepage/enabled")) return true;
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin, end;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &begin, &end) == 2) {
      found = begin <= reinterpret_cast<uintptr_t>(address) && reinterpret_cast<uintptr_t>(address) < end;
    } else if (found && line.rfind("VmFlags:", 0) == 0) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

void test_large_pages() {
  if (test::kEmulated) return;  // QEMU takes no such advice
  const Folder folder;
  const std::string path = folder.write("t.gguf", one_tensor({10}, kF32, 0, 40));
  for (const FileAccess access : {FileAccess::kMap, FileAccess::kCopy}) {
    CHECK(asks_for_large_pages(GgufFile::open(path, access)->tensors()[0].data));
  }
}

// A part of a split model with one tensor.
GgufWriter part(uint16_t number, uint16_t count, uint16_t n_tensors, const std::string& tensor) {
  GgufWriter w;
  w.u16("split.no", number).u16("split.count", count).u16("split.tensors.count", n_tensors);
  w.tensor(tensor, {8}, kF32, 0).data(32);
  return w;
}

void test_split() {
  const Folder folder;
  const std::string first = folder.write("m-00001-of-00003.gguf", part(0, 3, 3, "a").bytes());
  const std::string second = folder.write("m-00002-of-00003.gguf", part(1, 3, 3, "b").bytes());
  CHECK_THROWS(GgufFile::open(first, FileAccess::kMap), NT_IO, "part 3 of 3: the file cannot be opened");
  const std::string third = folder.write("m-00003-of-00003.gguf", part(2, 3, 3, "c").bytes());
  for (const FileAccess access : {FileAccess::kMap, FileAccess::kCopy}) {
    const auto file = GgufFile::open(first, access);
    CHECK_EQ(file->n_parts(), 3);
    CHECK_EQ(file->metadata().size(), 3);
    CHECK_EQ(file->tensors().size(), 3);
    CHECK_EQ(file->find_tensor("c")->part, 2);
    CHECK_EQ(file->find_tensor("c")->data[31], 31);
    CHECK_EQ(file->file_bytes(), fs::file_size(first) + fs::file_size(second) + fs::file_size(third));
    file->touch(fs::file_size(first) - 1, fs::file_size(second) + 2);
  }
  CHECK_THROWS(GgufFile::open(second, FileAccess::kMap), NT_FORMAT,
               "this is part 2 of 3 of a split model; open the first part, whose name ends in -00001-of-00003.gguf");
  CHECK_THROWS(GgufFile::open(folder.write("renamed.gguf", read_file(first)), FileAccess::kMap), NT_FORMAT,
               "the first of 3 parts, but the file's name does not end in -00001-of-00003.gguf");

  const auto refuse_parts = [&](const GgufWriter& one, const GgufWriter& two, int32_t at, const char* text) {
    const std::string path = folder.write("n-00001-of-00002.gguf", one.bytes());
    folder.write("n-00002-of-00002.gguf", two.bytes());
    CHECK_THROWS(GgufFile::open(path, FileAccess::kMap), NT_FORMAT, text);
    try {
      GgufFile::open(path, FileAccess::kMap);
    } catch (const nt::Error& e) {
      CHECK_EQ(e.part, at);
    }
  };
  refuse_parts(part(0, 2, 2, "a"), part(0, 2, 2, "b"), 1, "part 2 of 2: key \"split.no\": 0, where 1 is wanted");
  refuse_parts(part(0, 2, 2, "a"), part(1, 3, 2, "b"), 1, "key \"split.count\": 3, where 2 is wanted");
  refuse_parts(part(0, 2, 3, "a"), part(1, 2, 3, "b"), 0, "key \"split.tensors.count\": 3, where 2 is wanted");
  refuse_parts(part(0, 2, 2, "a"), part(1, 2, 2, "a"), 1, "tensor \"a\" occurs twice");
  refuse_parts(part(0, 2, 2, "a"), GgufWriter(), 1, "part 2 of 2: a part of a split model lacks the key \"split.no\"");
  GgufWriter wrong_version = part(1, 2, 2, "b");
  wrong_version.version = 1;
  refuse_parts(part(0, 2, 2, "a"), wrong_version, 1, "part 2 of 2: GGUF version 1");

  // Of headers, each part says for itself what it lacks.
  const std::string one = folder.write("h-00001-of-00002.gguf", part(0, 2, 2, "a").bytes());
  const std::string two = part(1, 2, 2, "b").bytes();
  folder.write("h-00002-of-00002.gguf", two.substr(0, two.size() - 32));
  CHECK_EQ(GgufFile::open(one, FileAccess::kHeader)->tensors().size(), 2);
  folder.write("h-00002-of-00002.gguf", two.substr(0, 30));
  CHECK_THROWS(GgufFile::open(one, FileAccess::kHeader), NT_INCOMPLETE, "part 2 of 2: ");
  GgufWriter huge;
  huge.u16("split.no", 1).u16("split.count", 2).u16("split.tensors.count", 2);
  huge.tensor("b", {(uint64_t{1} << 58) - 4096}, kF32, 0).data(4);
  folder.write("h-00002-of-00002.gguf", huge.bytes());
  CHECK_EQ(GgufFile::open(one, FileAccess::kHeader)->tensors().size(), 2);
  GgufWriter also_huge;
  also_huge.u16("split.no", 0).u16("split.count", 2).u16("split.tensors.count", 2);
  also_huge.tensor("a", {(uint64_t{1} << 58) - 4096}, kF32, 0).data(4);
  folder.write("h-00001-of-00002.gguf", also_huge.bytes());
  CHECK_THROWS(GgufFile::open(one, FileAccess::kHeader), NT_FORMAT, "the parts so far take more than");

  // Merging leaves split.count 0.
  for (const uint16_t count : {0, 1}) {
    CHECK_EQ(GgufFile::open(folder.write("whole.gguf", part(0, count, 1, "a").bytes()), FileAccess::kMap)->n_parts(),
             1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  test_oracle(argv[1], argv[2]);
  test_numbers();
  test_small();
  test_alignment();
  test_arrays();
  test_copy_strings();
  test_decode_rows();
  test_malformed_start();
  test_malformed_counts();
  test_malformed_keys();
  test_malformed_values();
  test_malformed_tensors();
  test_truncation();
  test_header(argv[1], argv[2]);
  test_malformed_header();
  test_files();
  test_large_pages();
  test_split();
  return test::result();
}
