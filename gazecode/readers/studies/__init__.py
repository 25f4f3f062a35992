"""Files of published studies: eyeCode, EMIP (EMTK, fix8), OGAMA, Eyekit."""
