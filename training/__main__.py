from training.cli import main

if __name__ == "__main__":  # the process that runs TensorFlow imports this module too
    main()
