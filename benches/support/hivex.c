// The benchmarks' work, done by hivex. Prints how many seconds it took, without start-up and reading of lists.
//
//   hivex TIMES open HIVE
//   hivex TIMES keys HIVE             every key and its name
//   hivex TIMES values HIVE           every value with its name and data as well
//   hivex TIMES lookup HIVE LIST      the keys at the paths in LIST, one a line
//   hivex TIMES value HIVE PATH NAME  one value of one key
//   hivex TIMES insert HIVE LIST OUT  keys with two values each, "GROUP\NAME" a line; the first lines name the groups
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <hivex.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static hive_h *open_hive(const char *path, int flags) {
    hive_h *hive = hivex_open(path, flags);
    if (!hive) die(path);
    return hive;
}

// The lines of a file; the last one is NULL.
static char **lines(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    char **all = NULL, *line = NULL;
    size_t count = 0, room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, file)) > 0) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        all = realloc(all, (count + 2) * sizeof *all);
        all[count++] = strdup(line);
    }
    fclose(file);
    if (all) all[count] = NULL;
    return all;
}

static unsigned long seen;

static void walk(hive_h *hive, hive_node_h node, int with_values) {
    char *name = hivex_node_name(hive, node);
    if (!name) die("name");
    seen += strlen(name);
    free(name);
    if (with_values) {
        hive_value_h *values = hivex_node_values(hive, node);
        if (!values) die("values");
        for (size_t at = 0; values[at]; at++) {
            hive_type type;
            size_t length;
            char *key = hivex_value_key(hive, values[at]);
            char *data = hivex_value_value(hive, values[at], &type, &length);
            if (key) seen += strlen(key);
            if (data) seen += length;
            free(key);
            free(data);
        }
        free(values);
    }
    hive_node_h *children = hivex_node_children(hive, node);
    if (!children) die("children");
    for (size_t at = 0; children[at]; at++) walk(hive, children[at], with_values);
    free(children);
}

static hive_node_h descend(hive_h *hive, const char *path) {
    char *copy = strdup(path);
    hive_node_h node = hivex_root(hive);
    for (char *name = strtok(copy, "\\"); name && node; name = strtok(NULL, "\\")) {
        node = hivex_node_get_child(hive, node, name);
    }
    free(copy);
    return node;
}

static void insert(const char *path, char **keys, const char *out) {
    hive_h *hive = open_hive(path, HIVEX_OPEN_WRITE);
    hive_node_h *groups = NULL;
    size_t count = 0;
    for (; *keys && !strchr(*keys, '\\'); keys++) {
        groups = realloc(groups, (count + 1) * sizeof *groups);
        groups[count] = hivex_node_add_child(hive, hivex_root(hive), *keys);
        if (!groups[count++]) die("group");
    }
    static const char text[] = "d\0r\0v\0.\0s\0y\0s\0\0";
    static const char number[] = {3, 0, 0, 0};
    const hive_set_value values[] = {
        {.key = "Start", .t = hive_t_REG_DWORD, .len = 4, .value = (char *)number},
        {.key = "ImagePath", .t = hive_t_REG_SZ, .len = 16, .value = (char *)text},
    };
    for (; *keys; keys++) {
        hive_node_h key = hivex_node_add_child(hive, groups[atoi(*keys)], strchr(*keys, '\\') + 1);
        if (!key) die("add_child");
        if (hivex_node_set_values(hive, key, 2, values, 0) == -1) die("set_values");
    }
    if (hivex_commit(hive, out, 0) == -1) die("commit");
    hivex_close(hive);
    free(groups);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    long times = atol(argv[1]);
    const char *work = argv[2], *path = argv[3];
    char **list = argc > 4 && strcmp(work, "value") != 0 ? lines(argv[4]) : NULL;
    int opens = strcmp(work, "open") == 0, inserts = strcmp(work, "insert") == 0;
    hive_h *hive = opens || inserts ? NULL : open_hive(path, 0);
    double start = now();
    while (times-- > 0) {
        if (opens) {
            hivex_close(open_hive(path, 0));
        } else if (inserts) {
            insert(path, list, argv[5]);
        } else if (strcmp(work, "lookup") == 0) {
            for (char **key = list; *key; key++) {
                if (!descend(hive, *key)) die(*key);
            }
        } else if (strcmp(work, "value") == 0) {
            if (!hivex_node_get_value(hive, descend(hive, argv[4]), argv[5])) die(argv[5]);
        } else {
            walk(hive, hivex_root(hive), strcmp(work, "values") == 0);
        }
    }
    printf("%.9f\n", now() - start);
    return 0;
}
