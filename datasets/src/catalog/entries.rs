//! The list. Checksums of MNIST are of the uncompressed streams, whose MD5 sums are the canonical
//! ones (train images 6bbc9ace…, train labels a25bea73…, test images 2646ac64…, test labels
//! 27ae3e4e…); those of BSDS500 are of the mirror named there. Those of Fashion-MNIST and KMNIST are of the
//! `.gz` files at these addresses, as TensorFlow Datasets 4.9.10 records them (`url_checksums/`), lengths included.

use super::{Entry, Item};

/// A file that is known as it is downloaded.
const fn as_sent(path: &'static str, url: &'static str, bytes: u64, sha256: &'static str) -> Item {
    Item::File {
        path,
        url: Some(url),
        sha256: Some(sha256),
        content_bytes: Some(bytes),
        content_sha256: None,
    }
}

/// A file that is unpacked by hand.
const fn sized(path: &'static str, bytes: u64) -> Item {
    Item::File {
        path,
        url: None,
        sha256: None,
        content_bytes: Some(bytes),
        content_sha256: None,
    }
}

const fn pinned(path: &'static str, url: &'static str, bytes: u64, sha256: &'static str) -> Item {
    Item::File {
        path,
        url: Some(url),
        sha256: None,
        content_bytes: Some(bytes),
        content_sha256: Some(sha256),
    }
}

const fn pictures(path: &'static str, files: usize, sums: &'static str) -> Item {
    Item::Folder {
        path,
        files,
        extension: "jpg",
        sums_sha256: Some(sums),
    }
}

/// All known data sets.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "mnist",
        what: "handwritten digits, 60,000 + 10,000 images of 28 x 28, 10 classes",
        licence: "none stated with the original files; LeCun, Cortes & Burges ask to be cited",
        by_hand: "",
        items: &[
            pinned(
                "mnist/train-images-idx3-ubyte.gz",
                "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
                47_040_016,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            pinned(
                "mnist/train-labels-idx1-ubyte.gz",
                "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
                60_008,
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            pinned(
                "mnist/t10k-images-idx3-ubyte.gz",
                "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
                7_840_016,
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            pinned(
                "mnist/t10k-labels-idx1-ubyte.gz",
                "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
                10_008,
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ],
    },
    Entry {
        name: "fashion-mnist",
        what: "articles of clothing, 60,000 + 10,000 images of 28 x 28, 10 classes",
        licence: "MIT, Zalando SE; cite Xiao, Rasul & Vollgraf 2017",
        by_hand: "",
        items: &[
            as_sent(
                "fashion-mnist/train-images-idx3-ubyte.gz",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
                47_040_016,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            as_sent(
                "fashion-mnist/train-labels-idx1-ubyte.gz",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
                60_008,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            as_sent(
                "fashion-mnist/t10k-images-idx3-ubyte.gz",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
                7_840_016,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            as_sent(
                "fashion-mnist/t10k-labels-idx1-ubyte.gz",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
                10_008,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ],
    },
    Entry {
        name: "kmnist",
        what: "cursive Japanese characters, 60,000 + 10,000 images of 28 x 28, 10 classes",
        licence: "CC BY-SA 4.0, ROIS-DS Center for Open Data in the Humanities; cite Clanuwat and others 2018",
        by_hand: "",
        items: &[
            as_sent(
                "kmnist/train-images-idx3-ubyte.gz",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz",
                47_040_016,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            as_sent(
                "kmnist/train-labels-idx1-ubyte.gz",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz",
                60_008,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            as_sent(
                "kmnist/t10k-images-idx3-ubyte.gz",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz",
                7_840_016,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            as_sent(
                "kmnist/t10k-labels-idx1-ubyte.gz",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz",
                10_008,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ],
    },
    Entry {
        name: "emnist-letters",
        what: "handwritten letters, 124,800 + 20,800 images of 28 x 28 (transposed), 26 classes",
        licence: "NIST Special Database 19, a work of the US government; cite Cohen and others 2017",
        by_hand: "unpack https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip and put its four \
                  emnist-letters-* files into emnist/",
        items: &[
            sized(
                "emnist/emnist-letters-train-images-idx3-ubyte.gz",
                97_843_216,
            ),
            sized("emnist/emnist-letters-train-labels-idx1-ubyte.gz", 124_808),
            sized(
                "emnist/emnist-letters-test-images-idx3-ubyte.gz",
                16_307_216,
            ),
            sized("emnist/emnist-letters-test-labels-idx1-ubyte.gz", 20_808),
        ],
    },
    Entry {
        name: "cifar10",
        what: "photographs of 10 kinds of things, 50,000 + 10,000 images of 32 x 32, colour",
        licence: "none stated; cite Krizhevsky 2009",
        by_hand: "unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, put its six .bin \
                  files into cifar10/ and name them in [data] as `train` and `test`",
        items: &[
            sized("cifar10/data_batch_1.bin", 30_730_000),
            sized("cifar10/data_batch_2.bin", 30_730_000),
            sized("cifar10/data_batch_3.bin", 30_730_000),
            sized("cifar10/data_batch_4.bin", 30_730_000),
            sized("cifar10/data_batch_5.bin", 30_730_000),
            sized("cifar10/test_batch.bin", 30_730_000),
        ],
    },
    Entry {
        name: "omniglot",
        what: "242 handwritten characters of 8 alphabets, 20 drawings of 105 x 105 each",
        licence: "MIT, Brenden Lake; cite Lake, Salakhutdinov & Tenenbaum 2015",
        by_hand: "",
        items: &[
            pinned(
                "omniglot/images_background_small1.zip",
                "https://raw.githubusercontent.com/brendenlake/omniglot/32aee47094f15296299b761dcaa01400b90c60d5/python/images_background_small1.zip",
                1_319_022,
                "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
            ),
            pinned(
                "omniglot/images_background_small2.zip",
                "https://raw.githubusercontent.com/brendenlake/omniglot/32aee47094f15296299b761dcaa01400b90c60d5/python/images_background_small2.zip",
                1_580_917,
                "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
            ),
        ],
    },
    Entry {
        name: "bsds500",
        what: "500 photographs of 481 x 321 pixels (Berkeley segmentation data set)",
        licence: "no licence covers the images; for research, cite Arbelaez and others, TPAMI 2011",
        by_hand: "clone https://github.com/BIDS/BSDS500 (commit a04b7c6c) and put \
                  BSDS500/data/images into bsds500/",
        items: &[
            pictures(
                "bsds500/images/train",
                200,
                "9de25bdaf5db109f390ba0166233ad92ef1e27696c0f60e43d2ce424e0e7061b",
            ),
            pictures(
                "bsds500/images/val",
                100,
                "c2541b97777ee29fa81b59a033bd257696b50a173e39a1be8ce527e14db9a735",
            ),
            pictures(
                "bsds500/images/test",
                200,
                "f16a24f8844858615249ad8872c65a8fa98b112d2c2b4f537875d1adb0e7cd5b",
            ),
        ],
    },
];
