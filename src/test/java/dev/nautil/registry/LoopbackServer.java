package dev.nautil.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes connections at a free port of the loopback interface and serves each on a thread of its
 * own. When it is closed, all its connections end, those that it made too.
 */
final class LoopbackServer implements AutoCloseable {
  interface Handler {
    /** Serves a connection, which is closed after that; an IOException means that it broke. */
    void serve(Socket client) throws IOException;
  }

  private final String name;
  private final Handler handler;
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger connections = new AtomicInteger();
  private final CountDownLatch closed = new CountDownLatch(1);

  LoopbackServer(String name, Handler handler) {
    this.name = name;
    this.handler = handler;
    try {
      listener = new ServerSocket(0, 0, InetAddress.getByName("127.0.0.1"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** {@code 127.0.0.1:PORT} */
  String host() {
    return "127.0.0.1:" + port();
  }

  /** How many connections clients have made. */
  int connections() {
    return connections.get();
  }

  /** Runs it on a thread that does not keep the JVM. */
  Thread start(Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** Connects to another server. */
  Socket connect(String host, int port) throws IOException {
    return adopt(new Socket(host, port));
  }

  /**
   * Lets time pass.
   *
   * @throws IOException if this is closed meanwhile
   */
  void pause(Duration time) throws IOException {
    try {
      if (closed.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new IOException("closed");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private void accept() {
    while (true) {
      try {
        Socket client = listener.accept();
        connections.incrementAndGet();
        start(() -> serve(client));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      handler.serve(adopt(client));
    } catch (IOException e) {
      // The client went, or this was closed.
    } finally {
      sockets.remove(client);
    }
  }

  private Socket adopt(Socket socket) throws IOException {
    socket.setTcpNoDelay(true);
    sockets.removeIf(Socket::isClosed);
    sockets.add(socket);
    if (closed.getCount() == 0) {
      socket.close();
    }
    return socket;
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      listener.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
