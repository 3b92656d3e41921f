package dev.nautil.template;

import dev.nautil.template.Callable.Args;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}: where a for loop stands. */
final class Loop implements Callable {
  /** A loop marked recursive, to run again over other items. */
  interface Body {
    Str recurse(Run run, Scope outside, Object iterable, int depth);
  }

  private final Run run;
  private final int depth;
  private final @Nullable Body body;
  private final Scope outside;
  private Iterator<Object> items;
  private long length;
  private long index0 = -1;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object after;
  private Seq.@Nullable TupleValue lastChanged;

  /**
   * @param length how many items there are, or -1 if only running through them tells
   */
  Loop(
      Run run, Iterator<Object> items, long length, int depth, @Nullable Body body, Scope outside) {
    this.run = run;
    this.items = items;
    this.length = length;
    this.depth = depth;
    this.body = body;
    this.outside = outside;
  }

  boolean advance() {
    if (peek() == null) {
      return false;
    }
    before = current;
    current = after;
    after = null;
    index0++;
    return true;
  }

  Object current() {
    return current;
  }

  private @Nullable Object peek() {
    if (after == null && items.hasNext()) {
      after = items.next();
    }
    return after;
  }

  private long length() {
    if (length < 0) {
      List<Object> rest = new ArrayList<>();
      items.forEachRemaining(rest::add);
      run.items(rest.size());
      items = rest.iterator();
      length = rest.size() + index0 + 1 + (after == null ? 0 : 1);
    }
    return length;
  }

  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1;
      case "index0" -> index0;
      case "revindex" -> length() - index0;
      case "revindex0" -> length() - index0 - 1;
      case "first" -> index0 == 0;
      case "last" -> peek() == null;
      case "length" -> length();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : before;
      case "nextitem" -> {
        Object next = peek();
        yield next == null ? new Undefined("there is no next item") : next;
      }
      case "cycle" -> new Function("cycle", (r, args) -> cycle(args));
      case "changed" -> new Function("changed", (r, args) -> changed(r, args));
      default -> null;
    };
  }

  private Object cycle(Args args) {
    List<Object> values = args.positional();
    if (values.isEmpty()) {
      throw new Fail("no items for cycling given");
    }
    return values.get((int) (index0 % values.size()));
  }

  private Object changed(Run r, Args args) {
    Seq.TupleValue now = new Seq.TupleValue(args.positional());
    boolean changed = lastChanged == null || !Ops.equal(r, lastChanged, now);
    lastChanged = now;
    return changed;
  }

  long size() {
    return length();
  }

  @Override
  public Object call(Run r, Args args) {
    if (body == null) {
      throw new Fail("the loop must have the 'recursive' marker to be called recursively.");
    }
    if (args.positional().size() != 1 || !args.named().isEmpty()) {
      throw new Fail("loop() takes one argument");
    }
    int frames = 12;
    r.enter(frames);
    Str result = body.recurse(r, outside, args.positional().get(0), depth + 1);
    r.leave(frames);
    return result;
  }
}
