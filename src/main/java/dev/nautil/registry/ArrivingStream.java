package dev.nautil.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * What a server sends, as it arrives. That of the JDK goes on to wait when its reader is
 * interrupted, before version 20.
 *
 * <p>Read by one thread; any may close it, and the reader is told.
 */
final class ArrivingStream extends InputStream implements BodySubscriber<InputStream> {
  /** Lists of buffers under way. */
  private static final int AHEAD = 2;

  private static final List<ByteBuffer> END = List.of();

  private final BlockingQueue<List<ByteBuffer>> arrived = new LinkedBlockingQueue<>();
  private final Queue<ByteBuffer> current = new ArrayDeque<>();
  private Flow.@Nullable Subscription subscription;
  private @Nullable Throwable failure;
  private boolean closed;
  private boolean ended;

  @Override
  public CompletionStage<InputStream> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    synchronized (this) {
      subscription = given;
      if (!closed) {
        given.request(AHEAD);
        return;
      }
    }
    given.cancel();
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    if (!buffers.isEmpty()) {
      arrived.add(buffers);
    } else {
      request();
    }
  }

  @Override
  public void onError(Throwable e) {
    synchronized (this) {
      failure = e;
    }
    arrived.add(END);
  }

  @Override
  public void onComplete() {
    arrived.add(END);
  }

  private synchronized void request() {
    if (subscription != null) {
      subscription.request(1);
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (current.isEmpty()) {
      if (ended || !next()) {
        ended = true;
        return -1;
      }
    }
    ByteBuffer first = current.element();
    int count = Math.min(length, first.remaining());
    first.get(buffer, offset, count);
    if (!first.hasRemaining()) {
      current.remove();
    }
    return count;
  }

  /** Returns whether there is more. */
  private boolean next() throws IOException {
    List<ByteBuffer> buffers;
    try {
      buffers = arrived.take();
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    if (buffers != END) {
      buffers.stream().filter(ByteBuffer::hasRemaining).forEach(current::add);
      request();
      return true;
    }
    synchronized (this) {
      if (closed) {
        throw new IOException("closed");
      }
      if (failure != null) {
        throw failure instanceof IOException e ? e : new IOException(failure);
      }
    }
    return false;
  }

  @Override
  public void close() {
    Flow.Subscription given;
    synchronized (this) {
      closed = true;
      given = subscription;
    }
    if (given != null) {
      given.cancel();
    }
    arrived.add(END);
  }
}
