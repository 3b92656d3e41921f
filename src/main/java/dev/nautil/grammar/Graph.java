package dev.nautil.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Finds the cycles of a directed graph. */
final class Graph {
  private Graph() {}

  /**
   * The strongly connected components, each after those that it leads to (Tarjan, "Depth-first
   * search and linear graph algorithms", 1972; with a stack of its own, since graphs are deep).
   *
   * @param next by node: where its edges lead
   */
  static List<int[]> components(int[][] next) {
    List<int[]> components = new ArrayList<>();
    int[] index = new int[next.length];
    int[] low = new int[next.length];
    int[] edge = new int[next.length];
    boolean[] open = new boolean[next.length];
    Arrays.fill(index, -1);
    IntStack path = new IntStack();
    IntStack members = new IntStack();
    int count = 0;
    for (int root = 0; root < next.length; root++) {
      if (index[root] >= 0) {
        continue;
      }
      path.push(root);
      while (!path.isEmpty()) {
        int node = path.get(path.size() - 1);
        if (index[node] < 0) {
          index[node] = low[node] = count++;
          open[node] = true;
          members.push(node);
        }
        if (edge[node] < next[node].length) {
          int to = next[node][edge[node]++];
          if (index[to] < 0) {
            path.push(to);
          } else if (open[to]) {
            low[node] = Math.min(low[node], index[to]);
          }
          continue;
        }
        path.pop();
        if (!path.isEmpty()) {
          int parent = path.get(path.size() - 1);
          low[parent] = Math.min(low[parent], low[node]);
        }
        if (low[node] == index[node]) {
          components.add(component(node, members, open));
        }
      }
    }
    return components;
  }

  private static int[] component(int root, IntStack members, boolean[] open) {
    IntStack component = new IntStack();
    int node;
    do {
      node = members.pop();
      open[node] = false;
      component.push(node);
    } while (node != root);
    return component.toArray();
  }

  /** Whether a component of the graph is a cycle. */
  static boolean isCycle(int[] component, int[][] next) {
    int node = component[0];
    return component.length > 1 || Arrays.stream(next[node]).anyMatch(to -> to == node);
  }
}
