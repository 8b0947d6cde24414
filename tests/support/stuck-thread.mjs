// A thread that never answers.
setInterval(() => {}, 1_000);
