import os

import pytest

from descent._files import replacing


def test_a_file_is_replaced_once_all_is_written(tmp_path):
    path = tmp_path / "runs.json"
    path.write_text("old")
    with replacing(path) as draft:
        assert (draft.parent, draft.suffix) == (tmp_path, ".json")
        assert draft.name.startswith(".")
        assert str(os.getpid()) in draft.name
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["runs.json"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_draft_that_fails_leaves_the_file_as_it_was(tmp_path, error):
    path = tmp_path / "runs.json"
    path.write_text("old")

    def half():
        with replacing(path) as draft:
            draft.write_text("ne")
            raise error

    with pytest.raises(error):
        half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["runs.json"]


def test_a_draft_that_was_never_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "runs.json"):
        pass
    assert os.listdir(tmp_path) == []
