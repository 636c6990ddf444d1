"""tf.image: functions on images."""
