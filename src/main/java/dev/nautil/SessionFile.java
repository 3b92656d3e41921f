package dev.nautil;

import dev.nautil.engine.KvTransfer;
import dev.nautil.engine.RestoredKv;
import dev.nautil.internal.FileFailure;
import dev.nautil.store.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A session in a file.
 *
 * <pre>
 * header         8 bytes    NAUTILS1: the last is the format's version
 *                8 bytes    the model's fingerprint
 *                4 bytes    kind of KV cache
 *                4 bytes    length of the conversation
 *                4 bytes    CRC-32C of the header so far
 * conversation              {@link SavedConversation}
 *                4 bytes    CRC-32C
 * for every {@value KvTransfer#BLOCK_TOKENS} cached tokens
 *                           keys and values: see nt_seq_save
 *                4 bytes    CRC-32C
 * </pre>
 *
 * <p>Numbers are big-endian. The lengths of all but the conversation follow from the model and the
 * number of tokens, so that a file of another length is refused before more is read. The checksums
 * find damage; what somebody wrote with good ones is checked again by whoever takes it.
 */
final class SessionFile {
  private static final byte[] MAGIC = {'N', 'A', 'U', 'T', 'I', 'L', 'S', '1'};
  private static final int HEADER_BYTES = 28;
  private static final int CHECKSUM_BYTES = 4;

  /** Bytes of a conversation: that of a million tokens takes a tenth of it. */
  private static final int MOST_CONVERSATION_BYTES = 1 << 28;

  /** What was in a file, and what lets a session go on from its keys and values. */
  record Restored(SavedConversation conversation, RestoredKv kv) {}

  private final Path file;
  private final Model model;

  SessionFile(Path file, Model model) {
    this.file = file;
    this.model = model;
  }

  /**
   * @param prompt what the next turn begins with, as far as it is known; what the KV cache holds of
   *     it is saved, too
   * @param restored what that may be besides what this model computed
   */
  void write(SavedConversation said, int[] prompt, @Nullable RestoredKv restored) {
    try (KvTransfer transfer = model.engine().transfer()) {
      int held = transfer.take(prompt, restored);
      byte[] conversation = said.withCached(Arrays.copyOf(prompt, held)).toBytes();
      AtomicFile.write(
          file,
          channel -> {
            writeFully(channel, header(conversation.length));
            writeChecked(channel, ByteBuffer.wrap(conversation));
            writeBlocks(channel, transfer, held);
          });
    } catch (InterruptedException | ClosedByInterruptException e) {
      throw interrupted();
    } catch (IOException e) {
      throw new SessionFileException(file, "it cannot be written: " + FileFailure.reason(e), e);
    }
  }

  private void writeBlocks(FileChannel channel, KvTransfer transfer, int tokens)
      throws IOException, InterruptedException {
    ByteBuffer block = newBlock(transfer, tokens);
    for (int first = 0; first < tokens; first += KvTransfer.BLOCK_TOKENS) {
      int n = Math.min(KvTransfer.BLOCK_TOKENS, tokens - first);
      transfer.save(first, n, block.clear());
      writeChecked(channel, block.limit(Math.toIntExact(transfer.blockBytes(n))));
    }
  }

  private static ByteBuffer newBlock(KvTransfer transfer, int tokens) {
    int most = Math.min(KvTransfer.BLOCK_TOKENS, tokens);
    return ByteBuffer.allocateDirect(most == 0 ? 0 : Math.toIntExact(transfer.blockBytes(most)));
  }

  private ByteBuffer header(int conversationBytes) {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.BIG_ENDIAN).put(MAGIC);
    header.putLong(model.loaded().model().fingerprint());
    header.putInt(model.describe().kvCacheType().ordinal()).putInt(conversationBytes);
    header.putInt(checksum(header.duplicate().flip()));
    return header.flip();
  }

  private static void writeChecked(FileChannel channel, ByteBuffer bytes) throws IOException {
    int checksum = checksum(bytes.duplicate());
    writeFully(channel, bytes);
    writeFully(channel, ByteBuffer.allocate(CHECKSUM_BYTES).putInt(checksum).flip());
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** The conversation; what there is room for of its keys and values is in the cache then. */
  Restored read() {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int conversationBytes = readHeader(channel);
      SavedConversation conversation =
          SavedConversation.of(
              readChecked(channel, ByteBuffer.allocate(conversationBytes)).array(),
              model.loaded().model().info().vocabularySize());
      try (KvTransfer transfer = model.engine().transfer()) {
        return new Restored(conversation, readBlocks(channel, transfer, conversation.cached()));
      }
    } catch (InterruptedException | ClosedByInterruptException e) {
      throw interrupted();
    } catch (IOException e) {
      throw new SessionFileException(file, "it cannot be read: " + FileFailure.reason(e), e);
    }
  }

  private int readHeader(FileChannel channel) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.BIG_ENDIAN);
    byte[] magic = new byte[MAGIC.length];
    if (channel.size() >= HEADER_BYTES) {
      readFully(channel, header);
      header.flip().get(magic);
    }
    if (!Arrays.equals(magic, MAGIC)) {
      throw refused("it is no session that this version of Nautil saved");
    }
    if (checksum(header.duplicate().rewind().limit(HEADER_BYTES - CHECKSUM_BYTES))
        != header.getInt(HEADER_BYTES - CHECKSUM_BYTES)) {
      throw refused("it is damaged: the header's checksum is wrong");
    }
    requireOurs(header.getLong(), header.getInt());
    int conversationBytes = header.getInt();
    long rest = channel.size() - HEADER_BYTES - CHECKSUM_BYTES;
    if (conversationBytes < 0 || conversationBytes > Math.min(rest, MOST_CONVERSATION_BYTES)) {
      throw refused("it is damaged: it ends before the conversation does");
    }
    return conversationBytes;
  }

  private void requireOurs(long fingerprint, int kvCacheType) {
    long ours = model.loaded().model().fingerprint();
    if (fingerprint != ours) {
      throw refused(
          String.format(
              "it was saved with another model (fingerprint %016x; this model's is %016x)",
              fingerprint, ours));
    }
    KvCacheType[] types = KvCacheType.values();
    KvCacheType type = model.describe().kvCacheType();
    if (kvCacheType != type.ordinal()) {
      String saved =
          kvCacheType >= 0 && kvCacheType < types.length
              ? types[kvCacheType].label()
              : "of kind " + kvCacheType;
      throw refused(
          "it was saved with a KV cache "
              + saved
              + ", and this model is open with "
              + type.label()
              + ": ModelOptions.kvCacheType");
    }
  }

  private RestoredKv readBlocks(FileChannel channel, KvTransfer transfer, int[] cached)
      throws IOException, InterruptedException {
    requireLength(channel, transfer, cached.length);
    ByteBuffer block = newBlock(transfer, cached.length);
    int loaded = 0;
    boolean fits = true;
    for (int first = 0; first < cached.length; first += KvTransfer.BLOCK_TOKENS) {
      int n = Math.min(KvTransfer.BLOCK_TOKENS, cached.length - first);
      readChecked(channel, block.clear().limit(Math.toIntExact(transfer.blockBytes(n))));
      fits = fits && first + n <= model.describe().contextSize() && load(transfer, first, n, block);
      loaded += fits ? n : 0;
    }
    return transfer.give(Arrays.copyOf(cached, loaded));
  }

  private boolean load(KvTransfer transfer, int first, int n, ByteBuffer block)
      throws InterruptedException {
    try {
      return transfer.load(first, n, block);
    } catch (IllegalArgumentException e) {
      throw new SessionFileException(file, "its keys and values are none: " + e.getMessage(), e);
    }
  }

  private void requireLength(FileChannel channel, KvTransfer transfer, int tokens)
      throws IOException {
    int whole = tokens / KvTransfer.BLOCK_TOKENS;
    int last = tokens % KvTransfer.BLOCK_TOKENS;
    long expected = channel.position();
    if (whole > 0) {
      expected += whole * (transfer.blockBytes(KvTransfer.BLOCK_TOKENS) + CHECKSUM_BYTES);
    }
    if (last > 0) {
      expected += transfer.blockBytes(last) + CHECKSUM_BYTES;
    }
    if (channel.size() != expected) {
      throw refused(
          "it is damaged: it has " + channel.size() + " bytes, and should have " + expected);
    }
  }

  private ByteBuffer readChecked(FileChannel channel, ByteBuffer bytes) throws IOException {
    long start = channel.position();
    readFully(channel, bytes);
    ByteBuffer checksum = ByteBuffer.allocate(CHECKSUM_BYTES);
    readFully(channel, checksum);
    bytes.flip();
    if (checksum(bytes.duplicate()) != checksum.getInt(0)) {
      throw refused("it is damaged: the checksum of what begins at byte " + start + " is wrong");
    }
    return bytes;
  }

  private void readFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw refused("it is damaged: it ends at byte " + channel.position());
      }
    }
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private SessionFileException refused(String reason) {
    return new SessionFileException(file, reason);
  }

  private static CancelledException interrupted() {
    Thread.currentThread().interrupt();
    return new CancelledException("the thread was interrupted");
  }
}
