"""Questions about a graph, a dict from each node to the nodes that it names.

Names that are not nodes are passed over.
"""


def nodes_on_cycles(graph):
    """The nodes from which a walk leads back to the node itself."""
    ordered = set(leaves_first(graph, cut=()))
    rest = {node: [name for name in names if name in graph and name not in ordered] for node, names in graph.items() if node not in ordered}
    return {node for node in rest if node in reached_from(rest, rest[node])}


def path_back(graph, node):
    """A shortest walk from a node on a cycle back to itself, as text."""
    came_from = {}
    waiting = [node]
    for each in waiting:
        for name in graph.get(each, ()):
            if name not in came_from:
                came_from[name] = each
                waiting.append(name)
    path = [node, came_from[node]]
    while path[-1] != node:
        path.append(came_from[path[-1]])
    return " -> ".join(reversed(path))


def reached_from(graph, starts):
    """Every node that is a start or that a walk from one reaches."""
    reached = set()
    waiting = list(starts)
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(graph.get(node, ()))
    return reached


def leaves_first(graph, cut):
    """The nodes in an order in which each comes after all that it names; what a node in `cut` names does not count."""
    waiting_for = {}
    named_by = {}
    for node, names in graph.items():
        names = set() if node in cut else {name for name in names if name in graph}
        waiting_for[node] = len(names)
        for name in names:
            named_by.setdefault(name, []).append(node)
    ready = [node for node, count in waiting_for.items() if count == 0]
    order = []
    while ready:
        node = ready.pop()
        order.append(node)
        for other in named_by.get(node, ()):
            waiting_for[other] -= 1
            if waiting_for[other] == 0:
                ready.append(other)
    return order
