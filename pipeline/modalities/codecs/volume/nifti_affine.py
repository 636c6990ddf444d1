"""Where the voxels of a NIfTI lie in the scanner, carried from the file that was read to the copy that is written.

A copy has the file's matrices (sform and qform, with their codes), spacing and units. Steps that move voxels move the
matrices against them, so that everything keeps its place in the world: left stays left. Nothing else of a header is
carried: descriptions and extensions may name patients.
Sources: https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields, https://nipy.org/nibabel/nifti_images.html
"""

import base64
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_ALIGNED: Final = 2  # the code that nibabel gives to a matrix that it is handed
_EXACT: Final = (
    "pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
    "srow_x", "srow_y", "srow_z",
)  # fmt: skip
_SKEW = 1e-4


def to_text(header: Any) -> str:
    """A header as text that can stand in a source format."""
    return base64.b64encode(header.binaryblock).decode()


def give_place(header: Any, text: str, origin: Matrix | None) -> None:
    """Give the header of a copy its place: `text` is the header that was read, `origin` as in `VolumeValue`."""
    if not text or origin is None:
        return
    before = _parsed(text)
    for name in ("xyzt_units", "toffset"):
        header[name] = before[name]
    if np.array_equal(origin, np.eye(4)):
        for name in _EXACT:
            header[name] = before[name]
        return
    header["pixdim"][4:] = before["pixdim"][4:]
    _turn(header, before, origin)


def _parsed(text: str) -> Any:
    import nibabel

    block = base64.b64decode(text)
    one = nibabel.Nifti1Header.template_dtype.itemsize
    return (nibabel.Nifti1Header if len(block) == one else nibabel.Nifti2Header)(block, check=False)


def _turn(header: Any, before: Any, origin: Matrix) -> None:
    """The matrices after the steps. A file without a code does not say which way is left, and the copy neither."""
    forms = _forms(before)
    best = next(iter(forms.values()), (np.asarray(before.get_base_affine()), _ALIGNED))[0] @ origin
    if not np.isfinite(best).all():
        return
    header["pixdim"][1:4] = np.linalg.norm(best[:3, :3], axis=0)
    if not forms and _only_grows(origin):
        return
    qform = forms.get("qform")
    if qform is not None and not _is_skew(qform[0] @ origin):
        header.set_qform(qform[0] @ origin, qform[1])
    sform = forms.get("sform", qform or (best, _ALIGNED))
    if "sform" in forms or not int(header["qform_code"]):
        header.set_sform(sform[0] @ origin if forms else best, sform[1])


def _forms(header: Any) -> dict[str, tuple[Matrix, int]]:
    """The matrices that have a code, the one that readers prefer first."""
    from nibabel.spatialimages import HeaderDataError

    found = {}
    for name in ("sform", "qform"):
        try:
            matrix, code = getattr(header, f"get_{name}")(coded=True)
        except (HeaderDataError, ValueError):  # ValueError: a quaternion that is none
            continue
        if matrix is not None and np.isfinite(matrix).all():
            found[name] = (np.asarray(matrix, np.float64), int(code))
    return found


def _only_grows(origin: Matrix) -> bool:
    """Whether the axes are where they were: cut, padded or scaled, not turned or mirrored."""
    linear = origin[:3, :3]
    return bool((np.diag(linear) > 0).all() and np.allclose(linear, np.diag(np.diag(linear)), atol=_SKEW))


def _is_skew(matrix: Matrix) -> bool:
    """Whether the axes of voxels do not stand at right angles, which a qform cannot say."""
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() > _SKEW)
