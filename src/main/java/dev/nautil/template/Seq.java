package dev.nautil.template;

import java.util.AbstractList;
import java.util.List;

/** A list, tuple or range. None of them changes once it is made. */
abstract class Seq extends AbstractList<Object> {
  /** A list. */
  static final class ListValue extends Seq {
    ListValue(List<?> items) {
      super(items, Shape.of(items));
    }
  }

  /** A tuple: unlike a list, a key of a dict if its elements are. */
  static class TupleValue extends Seq {
    private int hash;

    TupleValue(List<?> items) {
      super(items, Shape.of(items));
    }

    static TupleValue of(Object... items) {
      return new TupleValue(List.of(items));
    }

    @Override
    public int hashCode() {
      if (hash == 0) {
        int h = 17;
        for (Object item : this) {
          h = 31 * h + DictValue.hashKey(item).hashCode();
        }
        hash = h == 0 ? 1 : h;
      }
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof TupleValue t
          && (t == this || size() == t.size() && hashCode() == t.hashCode() && sameItems(t));
    }

    private boolean sameItems(TupleValue other) {
      for (int i = 0; i < size(); i++) {
        if (!DictValue.hashKey(get(i)).equals(DictValue.hashKey(other.get(i)))) {
          return false;
        }
      }
      return true;
    }
  }

  /** What {@code groupby} yields: a pair whose halves have names. */
  static final class GroupValue extends TupleValue {
    GroupValue(Object grouper, ListValue list) {
      super(List.of(grouper, list));
    }
  }

  /** A range, whose numbers are computed when asked for. */
  static final class RangeValue extends Seq {
    final long start;
    final long step;
    private final int size;

    private final long stop;

    RangeValue(long start, int size, long step) {
      this(start, size, step, start + size * step);
    }

    RangeValue(long start, int size, long step, long stop) {
      super(List.of(), Shape.LEAF);
      this.start = start;
      this.size = size;
      this.step = step;
      this.stop = stop;
    }

    @Override
    public Object get(int i) {
      return start + i * step;
    }

    @Override
    public int size() {
      return size;
    }

    /** The bound it was made with. */
    long stop() {
      return stop;
    }
  }

  final Shape shape;
  private final List<?> items;

  private Seq(List<?> items, Shape shape) {
    this.items = items;
    this.shape = shape;
  }

  @Override
  public Object get(int i) {
    return items.get(i);
  }

  @Override
  public int size() {
    return items.size();
  }

  /** Every value is itself and nothing else: {@link Ops#equal} compares contents. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  /** A sequence of the same kind with these elements. */
  Seq like(List<?> part) {
    return this instanceof TupleValue ? new TupleValue(part) : new ListValue(part);
  }
}
