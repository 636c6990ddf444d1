"""Public functions of `tf.image` that a recipe cannot use, and why; the reason follows the function's name."""

_FILES = "reads or writes image files: the field's own reading and `encode` do that"
_FLOAT = "gives floating point values that are no picture: put it into the training code"
_COLOURS = "changes the colour space; outputs are RGB pictures: put it into the training code"
_BOXES = "works on boxes alone, not on pictures"
_MEASURE = "measures pictures and gives none"

_BY_NAME = {
    "ResizeMethod": "is a list of names: write resize with method: bilinear, for example",
    "combined_non_max_suppression": _BOXES,
    "convert_image_dtype": _FLOAT,
    "crop_and_resize": "needs a box for each picture: use crop_to_bounding_box, then resize",
    "decode_and_crop_jpeg": _FILES,
    "decode_bmp": _FILES,
    "decode_gif": _FILES,
    "decode_image": _FILES,
    "decode_jpeg": _FILES,
    "decode_jxl": _FILES,
    "decode_png": _FILES,
    "decode_webp": _FILES,
    "draw_bounding_boxes": "draws boxes into the picture, which is for people to look at",
    "encode_jpeg": _FILES,
    "encode_png": _FILES,
    "extract_glimpse": "fills with noise that no seed reaches: use crop_to_bounding_box or pad_to_bounding_box",
    "extract_jpeg_shape": _FILES,
    "extract_patches": "makes many pictures of one: put it into the training code",
    "generate_bounding_box_proposals": _BOXES,
    "grayscale_to_rgb": "does nothing here: pictures are RGB unless the field's `mode` says otherwise",
    "hsv_to_rgb": _COLOURS,
    "image_gradients": _FLOAT,
    "is_jpeg": _FILES,
    "non_max_suppression": _BOXES,
    "non_max_suppression_overlaps": _BOXES,
    "non_max_suppression_padded": _BOXES,
    "non_max_suppression_with_scores": _BOXES,
    "per_image_standardization": _FLOAT,
    "psnr": _MEASURE,
    "rgb_to_hsv": _COLOURS,
    "rgb_to_yiq": _COLOURS,
    "rgb_to_yuv": _COLOURS,
    "sample_distorted_bounding_box": "draws a box and gives no picture: use albumentations.RandomResizedCrop",
    "sobel_edges": _FLOAT,
    "ssim": _MEASURE,
    "ssim_multiscale": _MEASURE,
    "stateless_sample_distorted_bounding_box": "draws a box and gives no picture: use albumentations.RandomResizedCrop",
    "total_variation": _MEASURE,
    "yiq_to_rgb": _COLOURS,
    "yuv_to_rgb": _COLOURS,
}
_STATEFUL = ("brightness", "contrast", "crop", "flip_left_right", "flip_up_down", "hue", "jpeg_quality", "saturation")
_TWINS = {
    f"random_{name}": f"draws from TensorFlow's global state: write tf.image.stateless_random_{name}, with the same "
    "parameters"
    for name in _STATEFUL
}

REFUSED = {f"image.{name}": reason for name, reason in sorted({**_BY_NAME, **_TWINS}.items())}
