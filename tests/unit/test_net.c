/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The network, its training and its file: gradients against differences, the same bits each time.
 */
#include "test.h"
#include <math.h>
#include "paper/augment.h"
#include "paper/crops.h"
#include "paper/train.h"

static struct fail f;
static const struct net_shape small = {3, 16, 16, 16, 16, 16};

static void fill(struct net *n, uint64_t seed, double sigma) {
    struct rng r;
    rng_init(&r, seed);
    for (size_t i = 0; i < n->count; i++) n->all[i] = (float)(rng_normal(&r) * sigma);
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    for (int k1 = 3; k1 <= 5; k1 += 2) {
        struct net n;
        const struct net_shape shape = {k1, 16, 32, 48, 16, 16};
        must(net_init(&n, shape, &f));
        fill(&n, 3, 0.08);
        struct net_scratch *s = net_scratch_new(&n), *t = net_scratch_new(&n);
        assert_non_null(s);
        assert_non_null(t);
        float image[NET_PIXELS], *grad = calloc(n.count, sizeof *grad);
        assert_non_null(grad);
        struct rng r;
        rng_init(&r, 9);
        for (int i = 0; i < NET_PIXELS; i++) image[i] = (float)rng_double(&r);
        net_gradient_begin(&n, s);
        const double loss = net_gradient(&n, s, image, 4, grad);
        assert_true(loss > 0);
        unsigned compared = 0;
        for (int l = 0; l < NET_LAYERS; l++)
            for (int q = 0; q < 12; q++) { /* some weights and a bias of every layer */
                const struct net_layer *la = &n.layer[l];
                const size_t rows = (size_t)((la->k ? la->k * la->k : 1) * la->in);
                float *w =
                    q == 0
                        ? &la->b[3]
                        : &la->w[rng_below(&r, rows) * (size_t)la->out + (size_t)rng_below(&r, 14)];
                const float keep = *w, h = 1e-3f;
                double lp[NET_CLASSES], up, down;
                float logits[NET_CLASSES];
                *w = keep + h;
                net_forward(&n, t, image, logits);
                net_log_softmax(logits, lp);
                up = -lp[4];
                *w = keep - h;
                net_forward(&n, t, image, logits);
                net_log_softmax(logits, lp);
                down = -lp[4];
                *w = keep;
                const double want = (up - down) / (2 * (double)h), got = grad[w - n.all];
                if (fabs(want - got) > 2e-3 + 0.05 * fabs(want))
                    fail_msg("layer %d: gradient %g, difference quotient %g", l, got, want);
                compared++;
            }
        assert_int_equal(compared, NET_LAYERS * 12);
        free(grad);
        net_scratch_free(s);
        net_scratch_free(t);
        net_release(&n);
    }
}

static void file_round_trips_and_refuses_damage(void **state) {
    (void)state;
    struct net n, back;
    struct buf a, b;
    must(net_init(&n, small, &f));
    fill(&n, 1, 0.2);
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    must(net_write(&n, &a, &f));
    must(net_read(buf_view(&a), &back, &f));
    must(net_write(&back, &b, &f)); /* written again: the same bytes */
    assert_true(span_eq(buf_view(&a), buf_view(&b)));
    for (size_t i = 0; i < n.count; i++) assert_true(fabsf(n.all[i] - back.all[i]) < 0.01f);
    net_release(&back);
    for (size_t cut = 0; cut < a.n; cut += a.n / 37 + 1)
        refuses(E_READER, net_read(span_of(a.p, cut), &back, &f));
    buf_byte(&a, 0);
    refuses(E_READER, net_read(buf_view(&a), &back, &f));
    a.p[13] = 4; /* the kernel's side */
    refuses(E_READER, net_read(span_of(a.p, a.n - 1), &back, &f));
    a.p[13] = 3;
    memset(a.p + 19, 0xff, 4); /* a scale that is not a number */
    refuses(E_READER, net_read(span_of(a.p, a.n - 1), &back, &f));
    refuses(E_RANGE, net_init(&back, (struct net_shape){3, 16, 16, 16, 16, 20}, &f));
    refuses(E_RANGE, net_init(&back, (struct net_shape){7, 16, 16, 16, 16, 16}, &f));
    buf_release(&a);
    buf_release(&b);
    net_release(&n);
}

/* Ten easy shapes instead of public data: one horizontal bar a class, at ten heights. */
static void toy(struct digit_set *s, uint8_t image[][NET_PIXELS], uint8_t *label, size_t n) {
    for (size_t i = 0; i < n; i++) {
        memset(image[i], 0, NET_PIXELS);
        label[i] = (uint8_t)(i % 10);
        for (int d = 0; d < 2; d++)
            memset(image[i] + (4 + 2 * (int)(i % 10) + d) * NET_SIDE + 4, 255, 20);
    }
    *s = (struct digit_set){.image = image, .label = label, .n = n};
}

static void training_learns_and_repeats_to_the_bit(void **state) {
    (void)state;
    static uint8_t image[200][NET_PIXELS], label[200];
    struct train_data d = {0};
    toy(&d.main, image, label, 200);
    struct buf b[2];
    size_t right[2];
    for (unsigned k = 0; k < 2; k++) {
        const struct train_options o = {
            .shape = small, .seed = 7, .epochs = 60, .threads = k + 1, .limit = 120};
        struct net n;
        must(train_net(&o, &d, &n, &f));
        size_t digit;
        must(train_evaluate(&n, &d.main, &right[k], &digit, &f));
        assert_true(digit >= right[k]);
        buf_init(&b[k], 1 << 20);
        must(net_write(&n, &b[k], &f));
        net_release(&n);
    }
    assert_true(span_eq(buf_view(&b[0]), buf_view(&b[1]))); /* one thread or two: the same */
    assert_int_equal(right[0], right[1]);
    assert_true(right[0] >= 100); /* chance gives 20 of 200 */
    buf_release(&b[0]);
    buf_release(&b[1]);
    d.main.n = 10;
    struct net n;
    refuses(E_RANGE, train_net(&(struct train_options){.shape = small, .epochs = 1}, &d, &n, &f));
}

static void training_goes_on_from_weights_and_boxes(void **state) {
    (void)state;
    static uint8_t image[200][NET_PIXELS], label[200], box[120][NET_PIXELS], box_label[120];
    struct train_data d = {0};
    toy(&d.main, image, label, 200);
    toy(&d.boxes, box, box_label, 120);
    for (size_t i = 0; i < 120; i += 4) { /* classes beyond the digits are learnt from boxes, too */
        memset(box[i], 0, NET_PIXELS);
        for (int k = 4; k < 24; k++) box[i][k * NET_SIDE + k] = box[i][k * NET_SIDE + 27 - k] = 255;
        box_label[i] = CLASS_STRUCK;
    }
    struct train_options o = {.shape = small, .seed = 7, .epochs = 60, .threads = 1, .limit = 100};
    struct net first, second;
    must(train_net(&o, &d, &first, &f));
    o.start = &first;
    o.limit = 60;
    o.shape.c4 = 32; /* the shape is that of the weights */
    must(train_net(&o, &d, &second, &f));
    assert_int_equal(second.shape.c4, 16);
    assert_memory_not_equal(first.all, second.all, first.count * sizeof *first.all);
    size_t before, after, digit;
    must(train_evaluate(&first, &d.boxes, &before, &digit, &f));
    must(train_evaluate(&second, &d.boxes, &after, &digit, &f));
    assert_true(after >= 60 && after + 12 >= before); /* nothing learnt is thrown away */
    net_release(&first);
    net_release(&second);
}

static void boxes_are_kept_in_files(void **state) {
    (void)state;
    struct digit_set s, t;
    struct buf b;
    must(digit_set_init(&s, 3, &f));
    for (size_t i = 0; i < 3; i++) {
        s.label[i] = (uint8_t)(i * 6);
        s.writer[i] = (uint16_t)(300 * i);
        s.image[i][5 * i] = 77;
    }
    buf_init(&b, 1 << 16);
    must(digit_set_write(&s, &b, &f));
    must(digit_set_parse(buf_view(&b), &t, &f));
    assert_int_equal(t.n, 3);
    assert_memory_equal(t.label, s.label, 3);
    assert_memory_equal(t.writer, s.writer, 3 * sizeof *s.writer);
    assert_memory_equal(t.image, s.image, 3 * sizeof *s.image);
    digit_set_release(&t);
    refuses(E_READER, digit_set_parse(span_of(b.p, b.n - 1), &t, &f));
    refuses(E_READER, digit_set_parse(span_of(b.p + 1, b.n - 1), &t, &f));
    refuses(E_READER, digit_set_parse(SPAN_LIT(""), &t, &f));
    b.p[15] = NET_CLASSES; /* the first label */
    refuses(E_READER, digit_set_parse(buf_view(&b), &t, &f));
    buf_release(&b);
    digit_set_release(&s);
}

/* Boxes that went through paper and camera, written with drawn bars instead of public data. */
static void boxes_are_cut_from_simulated_photographs(void **state) {
    (void)state;
    static uint8_t image[200][NET_PIXELS], label[200];
    static uint16_t writer[200];
    struct digit_set set, boxes[2];
    toy(&set, image, label, 200);
    set.writer = writer;
    const struct digit_set *const sets[] = {&set};
    const double share[] = {1};
    const struct crop_options o = {
        .sets = sets, .share = share, .set_count = 1, .seed = 4, .sheets = 1};
    for (int k = 0; k < 2; k++) must(crops_make(&o, &boxes[k], &f));
    assert_true(boxes[0].n > 200 && boxes[0].n <= 300); /* two views of up to 150 boxes */
    assert_int_equal(boxes[0].n, boxes[1].n);
    assert_memory_equal(boxes[0].image, boxes[1].image, boxes[0].n * NET_PIXELS);
    unsigned seen[NET_CLASSES] = {0};
    for (size_t i = 0; i < boxes[0].n; i++) {
        unsigned ink = 0;
        for (int k = 0; k < NET_PIXELS; k++) ink += boxes[0].image[i][k] > 100;
        assert_true(ink > 5);
        seen[boxes[0].label[i]]++;
    }
    assert_true(seen[CLASS_STRUCK] && seen[CLASS_DASH] && seen[CLASS_OTHER] && seen[3]);
    assert_int_equal(seen[CLASS_BLANK], 0);
    for (int k = 0; k < 2; k++) digit_set_release(&boxes[k]);
}

static void marks_are_ink_and_repeat(void **state) {
    (void)state;
    uint8_t a[NET_PIXELS] = {0}, b[NET_PIXELS] = {0};
    for (int y = 6; y < 22; y++) a[y * NET_SIDE + 14] = b[y * NET_SIDE + y] = 255;
    for (int c = CLASS_BLANK; c < NET_CLASSES; c++)
        for (uint64_t seed = 0; seed < 50; seed++) {
            float one[NET_PIXELS], two[NET_PIXELS];
            struct rng r, q;
            rng_init(&r, seed);
            rng_init(&q, seed);
            augment_mark(&r, c, a, b, one);
            augment_mark(&q, c, a, b, two);
            assert_memory_equal(one, two, sizeof one);
            double ink = 0;
            for (int i = 0; i < NET_PIXELS; i++) {
                assert_true(one[i] >= 0 && one[i] <= 1);
                ink += (double)one[i];
            }
            if (c == CLASS_BLANK) assert_true(ink < 60);
            if (c == CLASS_STRUCK) assert_true(ink > 10);
        }
}

static void normalising_centres_and_bounds(void **state) {
    (void)state;
    uint8_t pixels[60 * 90], out[NET_PIXELS];
    const struct raster r = {pixels, 60, 90};
    memset(pixels, 0, sizeof pixels);
    assert_false(digit_normalise(&r, 4, out));
    for (int y = 10; y < 70; y++)
        for (int x = 40; x < 50; x++) pixels[y * 60 + x] = 255;
    assert_true(digit_normalise(&r, 4, out));
    double mass = 0, mx = 0, my = 0;
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            const double v = out[y * NET_SIDE + x];
            mass += v;
            mx += v * (x + 0.5);
            my += v * (y + 0.5);
        }
    assert_true(fabs(mx / mass - 14) < 0.6 && fabs(my / mass - 14) < 0.6);
    assert_int_equal(out[2 * NET_SIDE + 14], 0); /* above the 20 rows */
    assert_true(out[14 * NET_SIDE + 14] > 200);
    /* a dot is not blown up to the size of a digit */
    memset(pixels, 0, sizeof pixels);
    for (int y = 30; y < 34; y++)
        for (int x = 30; x < 34; x++) pixels[y * 60 + x] = 255;
    assert_true(digit_normalise(&r, 0.5, out));
    unsigned inked = 0;
    for (int i = 0; i < NET_PIXELS; i++) inked += out[i] > 0;
    assert_true(inked <= 16);
}

static void public_data_is_read_and_pinned(void **state) {
    (void)state;
    const char *shared = shared_dir();
    struct digit_set s;
    refuses(E_NOT_FOUND, digit_set_read("/nonexistent", DIGITS_SEMEION, &s, &f));
    if (!shared) return;
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/data/digits", shared);
    must(digit_set_read(dir, DIGITS_SEMEION, &s, &f));
    assert_int_equal(s.n, 1593);
    size_t count[10] = {0};
    for (size_t i = 0; i < s.n; i++) count[s.label[i]]++;
    for (int i = 0; i < 10; i++) assert_in_range(count[i], 155, 162);
    digit_set_release(&s);
    must(digit_set_read(dir, DIGITS_MNIST_TEST, &s, &f));
    assert_int_equal(s.n, 10000);
    assert_int_equal(s.label[0], 7);
    assert_int_not_equal(s.writer[0], 0);
    digit_set_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(file_round_trips_and_refuses_damage),
        cmocka_unit_test(training_learns_and_repeats_to_the_bit),
        cmocka_unit_test(training_goes_on_from_weights_and_boxes),
        cmocka_unit_test(boxes_are_kept_in_files),
        cmocka_unit_test(boxes_are_cut_from_simulated_photographs),
        cmocka_unit_test(marks_are_ink_and_repeat),
        cmocka_unit_test(normalising_centres_and_bounds),
        cmocka_unit_test(public_data_is_read_and_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
