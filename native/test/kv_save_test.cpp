// The KV cache of a small model, saved and restored in blocks.
#include <cmath>

#include "model_fixture.h"

namespace {

using namespace test;

// Saves all of a sequence in blocks of block_tokens.
std::vector<std::vector<uint8_t>> save(Run& run, int seq, int block_tokens) {
  std::vector<std::vector<uint8_t>> blocks;
  const int n = nt_seq_length(run.context, seq);
  for (int first = 0; first < n; first += block_tokens) {
    const int count = std::min(block_tokens, n - first);
    blocks.emplace_back(static_cast<size_t>(nt_seq_saved_bytes(run.context, count)));
    const auto bytes = static_cast<int64_t>(blocks.back().size());
    CHECK_EQ(nt_seq_save(run.context, seq, first, count, blocks.back().data(), bytes, &run.error), NT_OK);
  }
  return blocks;
}

nt_status load(Run& run, int seq, const std::vector<uint8_t>& block) {
  return nt_seq_load(run.context, seq, block.data(), static_cast<int64_t>(block.size()), &run.error);
}

// What was saved goes on in another context as it would have here, and is the sequence's alone.
void saved_sequences_go_on(const OpenModel& m) {
  const std::vector<int32_t> other = tokens(128, 9), more = tokens(5, 3);
  for (int n : {1, 63, 64, 65, 200}) {
    Run run(m, 2, params(512, 0, 2));
    run.last(other);  // its page is used again
    CHECK_EQ(nt_seq_truncate(run.context, 0, 0, &run.error), NT_OK);
    run.last(tokens(n));
    Run fresh(m, 2, params(512, 0, 2));
    fresh.last(tokens(n));
    const auto blocks = save(run, 0, 128);
    CHECK(blocks == save(fresh, 0, 128));
    Run restored(m, 1, params(256, 0, 3));
    for (const auto& block : blocks) CHECK_EQ(load(restored, 2, block), NT_OK);
    CHECK_EQ(nt_seq_length(restored.context, 2), n);
    CHECK(save(restored, 2, 128) == blocks);
    CHECK_EQ(nt_seq_fork(restored.context, 2, 0, n, &restored.error), NT_OK);
    const std::vector<float> expected = run.last(more);
    CHECK(restored.last(more, 0) == expected);
    CHECK(restored.last(more, 2) == expected);
  }
}

void blocks_are_checked(const OpenModel& m) {
  Run run(m, 2, params(256, 0, 2));
  run.last(tokens(200));
  const auto blocks = save(run, 0, 128);
  const auto refused = [&](const std::vector<uint8_t>& block, nt_status status) {
    const int before = nt_seq_length(run.context, 1);
    CHECK_EQ(load(run, 1, block), status);
    CHECK_EQ(nt_seq_length(run.context, 1), before);
  };
  refused(blocks[1], NT_FORMAT);  // not what comes next
  for (size_t n = 1; n < blocks[0].size(); n += n < 64 ? 1 : 997) {
    refused({blocks[0].begin(), blocks[0].begin() + static_cast<ptrdiff_t>(n)}, NT_FORMAT);
  }
  for (size_t at = 0; at < 40; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> block = blocks[0];
      block[at] ^= static_cast<uint8_t>(1 << bit);
      const nt_status status = load(run, 1, block);
      const int loaded = nt_seq_length(run.context, 1);
      // Of the header, the number of tokens alone can be another, if they take as many pages.
      CHECK(status == NT_OK ? at / 4 == 32 / 4 && loaded > 64 && loaded < 128 : status == NT_FORMAT && loaded == 0);
      CHECK_EQ(nt_seq_truncate(run.context, 1, 0, &run.error), NT_OK);
    }
  }
  CHECK_EQ(load(run, 1, blocks[0]), NT_OK);
  refused(blocks[0], NT_FORMAT);
  CHECK_EQ(load(run, 1, blocks[1]), NT_OK);
  refused(blocks[1], NT_FORMAT);  // nothing comes after a page that is not full

  Run small(m, 1, params(128));
  CHECK_EQ(load(small, 0, blocks[0]), NT_OK);
  CHECK_EQ(load(small, 0, blocks[1]), NT_CONTEXT_FULL);
  CHECK_EQ(nt_seq_length(small.context, 0), 128);

  std::vector<uint8_t> out(static_cast<size_t>(nt_seq_saved_bytes(run.context, 200)));
  const auto save_status = [&](int seq, int first, int n, size_t room) {
    return nt_seq_save(run.context, seq, first, n, out.data(), static_cast<int64_t>(room), &run.error);
  };
  CHECK_EQ(save_status(0, 0, 200, out.size()), NT_OK);
  CHECK_EQ(save_status(0, 0, 200, out.size() - 1), NT_INVALID_ARGUMENT);
  for (auto [first, n] : {std::pair(1, 64), {-64, 64}, {0, 201}, {192, 9}, {0, 0}, {0, -1}, {64, INT32_MAX}}) {
    CHECK_EQ(save_status(0, first, n, out.size()), NT_INVALID_ARGUMENT);
  }
  CHECK_EQ(save_status(2, 0, 64, out.size()), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_load(run.context, 0, out.data(), -1, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_saved_bytes(run.context, 0), -1);
  CHECK_EQ(nt_seq_saved_bytes(run.context, INT32_MAX), -1);
}

// Whatever keys and values a block has, a context only computes with them.
void keys_that_are_no_numbers(const OpenModel& m) {
  Run run(m, 2, params(256, 0, 2));
  const std::vector<float> expected = run.last(tokens(100));
  auto block = save(run, 0, 128)[0];
  std::mt19937 random(1);
  for (int fill : {0xff, 0x7c, -1}) {
    for (size_t i = 40; i < block.size(); ++i) block[i] = static_cast<uint8_t>(fill < 0 ? random() : unsigned(fill));
    CHECK_EQ(load(run, 1, block), NT_OK);
    run.last({1}, 1);
    CHECK_EQ(nt_seq_truncate(run.context, 1, 0, &run.error), NT_OK);
  }
  CHECK(run.last(tokens(100), 1) == expected);
}

void fingerprints(const OpenModel& m) {
  const uint64_t ours = nt_model_fingerprint(m.model);
  CHECK(nt_model_fingerprint(OpenModel(8).model) == ours);
  CHECK(nt_model_fingerprint(OpenModel(12).model) != ours);
  ModelWriter renamed(8);
  renamed.writer().key("general.name", NT_KV_STRING, GgufWriter::string("another"));
  CHECK(nt_model_fingerprint(OpenModel(renamed.writer().bytes()).model) != ours);
  std::string trained = ModelWriter(8).writer().bytes();
  trained.back() ^= 1;
  CHECK(nt_model_fingerprint(OpenModel(trained).model) != ours);
}

}  // namespace

int main() {
  with_model(8, [](const OpenModel& m) {
    for (int32_t t : {NT_CACHE_F16, NT_CACHE_Q8_0}) {
      kv_type = t;
      saved_sequences_go_on(m);
      blocks_are_checked(m);
      keys_that_are_no_numbers(m);
    }
    kv_type = NT_CACHE_F16;
    fingerprints(m);
  });
  return test::result();
}
