import inspect

import pytest

import model.errors
import serving.errors
from model.errors import ImageError, ModelError, RecognitionError, RequestError, StoreError
from serving.problems import TABLE, problem_of

ERRORS = {
    error
    for module in (model.errors, serving.errors)
    for error in vars(module).values()
    if inspect.isclass(error) and issubclass(error, RecognitionError)
}
GROUPS = {RecognitionError, ImageError, ModelError, StoreError, RequestError}  # never raised themselves


@pytest.mark.parametrize("error", sorted(ERRORS - GROUPS, key=str))
def test_every_public_error_has_a_row(error):
    assert error in TABLE


def test_codes_are_unique():
    codes = [code for _, code in TABLE.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", sorted(TABLE, key=str))
def test_what_is_ours_keeps_its_details_and_what_is_the_callers_says_them(error):
    problem = problem_of(error("s3://our-bucket is empty"))
    assert ("our-bucket" in problem.detail) == (problem.status < 500)


def test_an_error_that_nobody_foresaw_is_ours():
    problem = problem_of(ZeroDivisionError("in our code"))
    assert (problem.status, problem.code) == (500, "internal")
    assert "our code" not in problem.detail
