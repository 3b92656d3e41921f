package dev.nautil.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.JavaProcess;
import dev.nautil.internal.bindings.NtPool;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class NativeHandleTest {
  private final AtomicInteger frees = new AtomicInteger();

  private NativeHandle<NtPool> handle(Runnable cancel, NativeHandle<?>... held) {
    return handle(() -> {}, cancel, held);
  }

  private NativeHandle<NtPool> handle(
      Runnable beforeFree, Runnable cancel, NativeHandle<?>... held) {
    AtomicInteger counter = frees;
    return new NativeHandle<>(
        new Object[] {},
        "thing",
        new NtPool(),
        p -> {
          beforeFree.run();
          counter.incrementAndGet();
        },
        cancel,
        held);
  }

  @Test
  void useAfterCloseIsAnException() {
    NativeHandle<NtPool> handle = handle(() -> {});
    assertEquals("seven", handle.use(p -> "seven"));
    handle.close();
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> handle.use(p -> "seven"));
    assertEquals("this thing is closed", e.getMessage());
  }

  @Test
  void closingTwiceFreesOnce() {
    NativeHandle<NtPool> handle = handle(() -> {});
    handle.close();
    handle.close();
    assertEquals(1, frees.get());
  }

  @Test
  void closeCancelsTheRunningCallAndWaitsForIt() throws InterruptedException {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    // Slow to free, so that a close() that returned before would be seen.
    NativeHandle<NtPool> handle =
        handle(() -> await(new CountDownLatch(1), 50), cancelled::countDown);
    AtomicInteger freesSeenByCall = new AtomicInteger(-1);
    Thread caller =
        new Thread(
            () ->
                handle.use(
                    p -> {
                      inside.countDown();
                      await(cancelled);
                      freesSeenByCall.set(frees.get());
                      return 0;
                    }));
    caller.start();
    inside.await();
    handle.close();
    assertEquals(1, frees.get());
    assertEquals(0, freesSeenByCall.get());
    caller.join();
  }

  @Test
  void aHeldHandleIsFreedAfterItsHolder() {
    NativeHandle<NtPool> held = handle(() -> {});
    NativeHandle<NtPool> holder = held.use(p -> handle(() -> {}, held));
    held.close();
    assertEquals(0, frees.get());
    holder.close();
    assertEquals(2, frees.get());
  }

  @Test
  void theCleanerFreesWhatNobodyClosed() throws InterruptedException {
    CountDownLatch freed = new CountDownLatch(1);
    open(freed);
    while (!freed.await(20, TimeUnit.MILLISECONDS)) {
      System.gc();
    }
  }

  @Test
  void theCleanerDoesNotFreeUnderARunningCall() {
    CountDownLatch freed = new CountDownLatch(1);
    boolean freedInside =
        open(freed)
            .use(
                p -> {
                  for (int i = 0; i < 5; i++) {
                    System.gc();
                    await(freed, 20);
                  }
                  return freed.getCount() == 0;
                });
    assertFalse(freedInside);
  }

  @Test
  void manyThreadsMayUseAndCloseAtOnce() throws InterruptedException {
    for (int round = 0; round < 200; round++) {
      NativeHandle<NtPool> handle = handle(() -> {});
      AtomicInteger usesAfterFree = new AtomicInteger();
      int freesBefore = frees.get();
      Thread[] threads = new Thread[4];
      for (int i = 0; i < threads.length; i++) {
        threads[i] =
            new Thread(
                () -> {
                  try {
                    while (true) {
                      handle.use(
                          p -> frees.get() == freesBefore ? 0 : usesAfterFree.incrementAndGet());
                    }
                  } catch (IllegalStateException e) {
                    handle.close();
                  }
                });
        threads[i].start();
      }
      handle.close();
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(0, usesAfterFree.get());
      assertEquals(freesBefore + 1, frees.get());
    }
  }

  /** Out of the tests' frames, so that nothing there keeps the owner. */
  private static NativeHandle<NtPool> open(CountDownLatch freed) {
    return new NativeHandle<>(
        new Object[] {}, "thing", new NtPool(), p -> freed.countDown(), () -> {});
  }

  private static void await(CountDownLatch latch) {
    assertTrue(await(latch, 20_000));
  }

  private static boolean await(CountDownLatch latch, long milliseconds) {
    try {
      return latch.await(milliseconds, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aCallThatEndsWhileTheHeapIsFullIsNotWaitedFor() throws Exception {
    Process process =
        JavaProcess.of(
                List.of("-Xmx16m", "-XX:+UseSerialGC", "-Xint", EndsWithFullHeap.class.getName()))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("freed" + System.lineSeparator(), output);
  }

  /** Fills the heap in a call, and closes the handle when there is room again. */
  static final class EndsWithFullHeap {
    private EndsWithFullHeap() {}

    public static void main(String[] args) {
      NativeHandle<NtPool> handle =
          new NativeHandle<>(
              new Object[] {}, "thing", new NtPool(), p -> System.out.println("freed"), () -> {});
      handle.use(p -> 0); // loads what a call takes
      Object[] pieces = new Object[1 << 20];
      handle.use(
          p -> {
            fill(pieces);
            return 0;
          });
      Arrays.fill(pieces, null);
      handle.close();
    }

    private static void fill(Object[] pieces) {
      int n = 0;
      for (int size = 1 << 16; size > 0; size /= 2) {
        try {
          while (true) {
            pieces[n] = size == 1 ? new Object() : new byte[size]; // no object is smaller
            n++;
          }
        } catch (OutOfMemoryError e) {
          // Smaller ones.
        }
      }
    }
  }
}
